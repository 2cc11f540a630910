"""Filters by severity and trace: the messages that they match, with and without the index."""

from dataclasses import replace

import pytest

from infra.messages.masking import Mask
from infra.messages.message import Message
from infra.query import parse
from tests.support.received import NOW, message

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FAILED = message(b'{"level": 50}', attributes={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
ODD = message(attributes={"severity": "sev-1", "trace": "on"})
LOW = message(attributes={"severity": "info", "level": "error"})
EARLIER = replace(FAILED, severity="", tokens=("data.level=50",))


@pytest.mark.parametrize(
    ("text", "stored", "expected"),
    [
        ("severity=ERROR", FAILED, True),
        ("severity=error", FAILED, True),
        ("severity=err", FAILED, True),
        ("severity=WARNING", FAILED, False),
        ("-severity=error", FAILED, False),
        ("severity=error OR severity=alert", FAILED, True),
        ("severity=ERROR", EARLIER, True),
        ("severity>=warning", EARLIER, True),
        ("severity>=warning", FAILED, True),
        ("severity>=warning", ODD, False),
        ("severity=sev-1", ODD, True),
        ("severity=error", ODD, False),
        ("severity=info", LOW, True),
        ("severity=error", LOW, True),
        (f"trace={TRACE}", FAILED, True),
        (f"trace={TRACE.upper()}", FAILED, True),
        (f"trace={TRACE}", EARLIER, True),
        (f"trace={TRACE[::-1]}", FAILED, False),
        (f"trace={TRACE}", ODD, False),
        ("trace=on", ODD, True),
    ],
)
def test_filter_finds_severity_and_trace(text: str, stored: Message, expected: bool) -> None:
    query = parse(text, NOW)
    assert query.matches(stored) is expected
    if expected and query.tokens and stored is not EARLIER:
        assert {*query.tokens} & {*stored.tokens}, "the index would miss it"


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("severity>=warning", "WARNING ERROR CRITICAL ALERT EMERGENCY"),
        ("severity>Error", "CRITICAL ALERT EMERGENCY"),
        ("severity<info", "DEBUG"),
        ("severity:info..warning", "INFO NOTICE WARNING"),
        ("severity>=warning severity<alert", "WARNING ERROR CRITICAL ALERT EMERGENCY"),
        ("severity>alert OR severity=debug", "EMERGENCY DEBUG debug"),
        ("severity>=notice", ""),
        ("-severity>=warning", ""),
        ("severity>=warning OR text", ""),
    ],
)
def test_comparison_of_severities_is_answered_by_the_index(text: str, levels: str) -> None:
    assert parse(text, NOW).tokens == tuple(f"severity={level}" for level in levels.split())


def test_filter_through_a_mask_finds_only_what_is_visible() -> None:
    assert not parse("severity=ERROR", NOW).matches(Mask(("data.level",)).see(FAILED))
    assert not parse(f"trace={TRACE}", NOW).matches(Mask(("traceparent",)).see(FAILED))
    assert parse(f"severity=ERROR trace={TRACE}", NOW).matches(Mask(("data.card",)).see(FAILED))
