"""The timeline follows the filter: by the index where it answers, else by a sample, and it says which."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from infra.errors import StoreUnavailableError
from infra.firestore.message_reader import MessageReader
from infra.messages.message import MORE_TOKENS, index_tokens
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import running
from tests.support.viewer.visitor import Visitor, services_of, signed_in
from tests.support.waiting import wait_until

SECRET = "tell-nobody-4711"


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    """A viewer over messages of the last hour and day; ``email`` is masked."""
    local = LocalFirestore()
    writer = Writer(local.address)
    now = datetime.now(UTC)
    for minutes, service, level, number in ((5, "pay", "INFO", 6), (5, "pay", "ERROR", 2), (300, "cart", "INFO", 3)):
        attributes = {"service": service, "severity": level, "email": SECRET}
        for _ in range(number):
            writer.message(
                received_at=now - timedelta(minutes=minutes),
                attributes=attributes,
                tokens=list(index_tokens(attributes, ())),
                severity=level,
            )
    letter = {"severity": "WARNING"}
    tokens = list(index_tokens(letter, (), ["severity=ERROR"]))
    writer.message(received_at=now - timedelta(days=3), attributes=letter, tokens=tokens, severity="ERROR")
    crowded = ["crowded=yes", MORE_TOKENS]
    writer.message(received_at=now - timedelta(days=20), attributes={"crowded": "yes"}, tokens=crowded)
    environ = {"MASKED_FIELDS": "email", "LOG_LEVEL": "CRITICAL", "RETENTION_DAYS": "30"}
    with running(settings_for(local.address, **environ)) as made:
        yield made
    writer.close()
    local.close()


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return signed_in(app, "viewer")


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return signed_in(app, "operator")


def shown(visitor: Visitor, **arguments: str | list[str]) -> str:
    """Return the words of the timeline when all is counted."""
    pages: list[str] = []

    def is_counted() -> bool:
        answer = visitor.get("/timeline", query_string=arguments)
        assert answer.status_code == 200, answer.text
        pages.append(answer.text)
        return "data-pending" not in answer.text

    wait_until(is_counted, "the timeline's counts")
    return " ".join(re.sub(r"<(?!rect)[^>]+>", " ", pages[-1].partition("<p class")[2]).split())


@pytest.mark.parametrize(
    ("q", "span", "words"),
    [
        ("", "", "8 in the last hour"),
        ("", "24h", "11 in the last 24 hours"),
        ("", "all", "13 in all that is kept"),
        ("service=pay", "24h", "8 matching in the last 24 hours"),
        ("severity=ERROR", "", "2 matching in the last hour"),
        ("severity>=warning", "7d", "3 matching in the last 7 days"),
        ("service=cart", "", "No matching messages in the last hour"),
    ],
)
def test_filter_of_one_field_is_counted_by_the_index(viewer: Visitor, q: str, span: str, words: str) -> None:
    text = shown(viewer, q=q, span=span)
    assert words in text
    assert "counted by the index" in text


@pytest.mark.parametrize("q", ["service~PAY", "-service=cart", "service=pay kind:text", "service=pay OR email=x"])
def test_other_filters_are_counted_in_a_sample(viewer: Visitor, q: str) -> None:
    text = shown(viewer, q=q, span="24h")
    assert "8 matching in the last 24 hours" in text
    assert "counted in a sample" in text


def test_times_of_the_filter_choose_bars_and_do_not_limit_the_counts(viewer: Visitor) -> None:
    assert "8 matching in the last hour" in shown(viewer, q="service=pay after:1m")


def test_layers_have_names_and_totals(viewer: Visitor) -> None:
    text = shown(viewer, stack=":severity")
    assert "ERROR and worse 2 WARNING 0 other counted by the index" in text
    text = shown(viewer, stack="service", value=["pay", "cart"], span="24h")
    assert "pay 8 cart 3 other counted by the index" in text


def test_warning_that_is_a_dead_letter_is_in_one_layer(app: Flask, viewer: Visitor) -> None:
    # Its attribute says WARNING, and the dead letter means ERROR: it has the tokens of both.
    text = shown(viewer, stack=":severity", span="7d")
    assert "ERROR and worse 3 WARNING 0 other" in text


def test_filter_of_the_most_terms_is_sampled(viewer: Visitor) -> None:
    q = " ".join(f"-service=none{number}" for number in range(30))
    assert "8 matching in the last hour" in shown(viewer, q=q)


def test_messages_with_more_fields_than_the_index_holds_make_a_lower_bound(viewer: Visitor) -> None:
    assert "at least 1 matching in all that is kept" in shown(viewer, q="crowded=yes", span="all")


def test_layers_within_a_filter_of_a_field_are_sampled(viewer: Visitor) -> None:
    assert "ERROR and worse 2 WARNING 0 other counted in a sample" in shown(viewer, q="service=pay", stack=":severity")


def test_masked_value_is_counted_by_the_index_for_operators_only(viewer: Visitor, operator: Visitor) -> None:
    asked: dict[str, str | list[str]] = {"q": f"email={SECRET}", "span": "24h"}
    text = shown(viewer, **asked)
    assert "No matching messages in the last 24 hours" in text
    assert "counted in a sample" in text
    assert "11 matching in the last 24 hours" in shown(operator, **asked)
    stacked = shown(viewer, stack="email", value=[SECRET], span="24h")
    assert f"{SECRET} 0 other counted in a sample" in stacked


def test_looks_at_the_same_filter_share_their_counts(app: Flask, viewer: Visitor, operator: Visitor) -> None:
    shown(viewer, q="service=first")
    before = len(services_of(app).timelines)
    for visitor in (viewer, operator, viewer):
        shown(visitor, q="service=shared")
    assert len(services_of(app).timelines) == before + 1


def test_page_of_a_filter_that_the_index_cannot_count_waits_for_its_script(viewer: Visitor) -> None:
    page = viewer.get("/messages", query_string={"q": "service~pay"}).text
    assert "data-unsampled" in page
    assert "data-pending" not in page
    assert "Counting the last hour…" in page


def test_page_of_a_filter_opens_while_firestore_counts_nothing(
    viewer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise StoreUnavailableError("counting messages: not now")

    monkeypatch.setattr(MessageReader, "count", fail)
    for q in ("service=unseen", "severity=CRITICAL", "service~unseen", ""):
        assert viewer.get("/messages", query_string={"q": q}).status_code == 200, q
        assert viewer.get("/timeline", query_string={"q": q}).status_code == 200, q


def test_long_name_of_a_field_is_refused(viewer: Visitor) -> None:
    answer = viewer.get("/timeline", query_string={"stack": "x" * 301})
    assert answer.status_code == 400
    assert "has at most 300 characters; found 301" in answer.text
