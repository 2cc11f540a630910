"""The page of a trace: its messages of all subscriptions in order, their gaps, and its links to Google's console."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.firestore.writer import Writer
from tests.support.received import message
from tests.support.viewer.visitor import Visitor
from web.messages import console_links
from web.messages.traces import in_order, steps_of

AT = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CONSOLE = "https://console.cloud.google.com"


def test_page_has_the_messages_of_all_subscriptions_in_order(viewer: Visitor, writer: Writer) -> None:
    trace = uuid4().hex
    fields: dict[str, Any] = {"attributes": {"b3": f"{trace}-{'1' * 16}"}, "tokens": [f"trace={trace}"]}
    later = writer.message(publish_time=AT + timedelta(seconds=4.2), subscription="another-one", **fields)
    first = writer.message(publish_time=AT, severity="ERROR", **fields)
    last = writer.message(publish_time=AT + timedelta(minutes=3), **fields)
    page = viewer.get(f"/traces/{trace}").text
    assert re.findall(r'<tr role="row" data-id="([0-9a-f]{32})"', page) == [first, later, last]
    assert [text for text in ("–", "4.2 s", "2 min 56 s") if f">{text}<" not in page] == []
    assert "3 messages" in page
    assert "2 subscriptions" in page
    assert 'data-level="ERROR">ERROR</span>' in page
    shown = viewer.get(f"/messages/{first}").text
    assert f'href="/traces/{trace}"' in shown
    assert f"{CONSOLE}/traces/explorer;traceId={trace}?project=" in shown


def test_unknown_trace_says_so_and_other_text_is_no_page(viewer: Visitor) -> None:
    assert "No message of this trace was found." in viewer.get(f"/traces/{uuid4().hex}").text
    for wrong in ("0" * 32, TRACE.upper(), TRACE[:-1], f"{TRACE}0", "%2e%2e"):
        assert viewer.get(f"/traces/{wrong}").status_code == 404


def test_message_without_a_trace_has_no_links(viewer: Visitor, writer: Writer) -> None:
    document = writer.message(attributes={"traceparent": "unknown"})
    assert 'aria-label="Trace"' not in viewer.get(f"/messages/{document}").text


def test_steps_begin_with_the_first_published() -> None:
    times = [timedelta(seconds=2), timedelta(0), timedelta(0)]
    given = [message(publish_time=AT + after, message_id=str(number)) for number, after in enumerate(times)]
    steps = list(steps_of(in_order(given)))
    assert [(step.message.message_id, step.gap) for step in steps] == [("1", ""), ("2", "0 ms"), ("0", "2.0 s")]


@pytest.mark.parametrize(
    ("project", "written"), [("my-project", "my-project"), ("example.com:old", "example.com%3Aold")]
)
def test_console_addresses_name_project_and_trace(project: str, written: str) -> None:
    assert console_links.cloud_trace(project, TRACE) == f"{CONSOLE}/traces/explorer;traceId={TRACE}?project={written}"
    assert console_links.logs(project, TRACE, AT, AT + timedelta(minutes=5)) == (
        f"{CONSOLE}/logs/query;query=trace%3D%22projects%2F{written}%2Ftraces%2F{TRACE}%22"
        f";timeRange=2026-11-23T09:42:07Z%2F2026-11-23T11:47:07Z?project={written}"
    )
