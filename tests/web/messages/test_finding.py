"""Filtered lists: the filter of the address, paging, errors in filters, and escaping of the typed text."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from infra.messages.cursor import Cursor
from infra.messages.message import index_tokens
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION, settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import running
from tests.support.viewer.list_page import HOSTILE, ids_in, settled
from tests.support.viewer.visitor import SCRIPT, Skeleton, Visitor, add_user, services_of
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def now() -> datetime:
    """The time of the stored messages; a constant would be too old in a long test run."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def app(now: datetime) -> Iterator[Flask]:
    """A viewer over 2,400 messages; every 100th has a failure in its payload."""
    local = LocalFirestore()
    writer = Writer(local.address)
    for start in range(0, 2400, 100):
        at = now - timedelta(minutes=30, seconds=start)
        writer.messages(99, received_at=at)
        store(writer, at)
    with running(settings_for(local.address, LOG_LEVEL="CRITICAL")) as made:
        yield made
    writer.close()
    local.close()


def store(writer: Writer, at: datetime, text: str = "it Failed here", status: str = "FAILED") -> str:
    attributes = {"status": status}
    return writer.message(
        received_at=at - timedelta(seconds=1),
        attributes=attributes,
        tokens=list(index_tokens(attributes, ())),
        data=text.encode(),
        preview=text,
    )


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "reader", "viewer"))


def older_link(page: str) -> str:
    link = re.search(r'rel="next" href="([^"]+)"', page)
    return link.group(1).replace("&amp;", "&") if link else ""


@pytest.mark.parametrize("q", ["status=FAILED", '"failed HERE"', "failed -status=SUCCESS kind:text"])
def test_filtered_pages_follow_without_gaps(viewer: Visitor, q: str) -> None:
    path, seen, pages = "/messages", list[str](), 0
    answer = viewer.get(path, query_string={"q": q})
    while True:
        pages += 1
        seen += ids_in(answer.text)
        path = older_link(answer.text)
        if not path:
            break
        assert parse_qs(urlsplit(path).query)["q"] == [q]
        answer = viewer.get(path)
    assert len(seen) == len(set(seen)) == 24
    assert pages == (1 if q == "status=FAILED" else 2), "a scan ends after 2,000 messages, the index has only these"


def test_bounded_search_says_how_far_back_it_went(viewer: Visitor) -> None:
    page = Skeleton(viewer.get("/messages?q=nowhere").text)
    words = " ".join(" ".join(page.texts).split())
    assert "Nothing matches so far." in words
    assert "0 of 2,000 messages; searched back to" in words
    assert "Search older" in words
    assert "Payloads over 16 KiB are searched only in their first 512 characters" in words


def test_complete_search_is_reported(viewer: Visitor) -> None:
    words = viewer.get("/messages?q=status%3DNONE").text
    assert "Nothing matches." in words
    assert "All that is kept was searched." in words
    assert "Payloads over 16" not in words


def test_json_rows_count_the_examined_messages(viewer: Visitor) -> None:
    answer = viewer.get("/messages?q=nowhere", SCRIPT).json
    assert answer is not None
    assert (answer["rows"], answer["looked_at"]) == ([], 2000)
    assert Cursor.parse(answer["older"]).at < Cursor.parse(answer["newest"]).at
    rest = viewer.get("/messages", SCRIPT, query_string={"q": "nowhere", "before": answer["older"]}).json
    assert rest is not None
    assert (rest["rows"], rest["looked_at"], rest["older"]) == ([], 400, None)


def test_stream_starts_after_the_search(app: Flask, viewer: Visitor) -> None:
    newest = services_of(app).all_messages.page(limit=1)[0].cursor
    assert f'data-live="{newest}"' in viewer.get("/messages?q=nowhere").text
    past = viewer.get("/messages?q=before:20m").text
    live = re.search(r'data-live="([^"]+)"', past)
    assert live
    assert datetime.now(UTC) - Cursor.parse(live.group(1)).at < timedelta(seconds=30)


def test_time_terms_narrow_the_list(viewer: Visitor, now: datetime) -> None:
    since, until = now - timedelta(minutes=35), now - timedelta(minutes=30)
    q = f"status=FAILED after:{since.isoformat()} before:{until.isoformat()}"
    assert len(ids_in(viewer.get("/messages", query_string={"q": q}).text)) == 3


@pytest.mark.parametrize(
    ("q", "column", "marked"),
    [("status=FAILED levl:high", 15, "levl:high"), ('say "half', 5, "&#34;half"), ("x -", 3, "-")],
)
def test_invalid_filter_keeps_the_typed_text(viewer: Visitor, q: str, column: int, marked: str) -> None:
    answer = viewer.get("/messages", query_string={"q": q})
    assert answer.status_code == 400
    assert f"at column {column}, " in answer.text
    assert f"<mark>{marked}</mark>" in answer.text
    assert f'name="q" value="{q.replace(chr(34), "&#34;")}"' in answer.text
    assert not ids_in(answer.text)
    told = viewer.get("/messages", SCRIPT, query_string={"q": q})
    assert told.status_code == 400
    assert told.json is not None
    assert told.json["error"]["detail"].startswith(f"q: at column {column}, ")


def test_hostile_filter_keeps_the_page_intact(viewer: Visitor) -> None:
    """Compares pages for a hostile filter, valid or invalid, with a harmless one of the same kind."""
    pairs = [
        ("nowhere", f'"{HOSTILE.replace(chr(34), "")}"'.replace("\r\n", "").replace("\0", "")),
        ("a:x", f"a:{HOSTILE}"),
    ]
    for harmless, hostile in pairs:
        answers = [settled(viewer, "/messages", query_string={"q": q}) for q in (harmless, hostile)]
        assert answers[0].status_code == answers[1].status_code
        # The timeline is counted in the background, and any page may show that the count is running.
        pages = [answer.text.replace(" data-pending", "") for answer in answers]
        assert Skeleton(pages[0]).elements == Skeleton(pages[1]).elements


@pytest.mark.parametrize("q", ["x" * 2001, "a " * 40, "\x00", "é=\u202e", "data." + "a." * 900 + "=1", "%", "-" * 200])
def test_any_filter_gives_a_page(viewer: Visitor, q: str) -> None:
    assert viewer.get("/messages", query_string={"q": q}).status_code in (200, 400)
    assert viewer.get("/timeline", query_string={"q": q}).status_code in (200, 400)


def test_timeline_bars_link_and_keep_the_filter(viewer: Visitor, now: datetime) -> None:
    answer = viewer.get("/timeline", query_string={"q": "status=FAILED after:5m", "subscription": SUBSCRIPTION})
    assert answer.status_code == 200
    assert "2,400 in the last hour" in answer.text or "in the last hour, most" in answer.text
    links = [link.replace("&amp;", "&") for link in re.findall(r'<a href="([^"]+)"', answer.text)]
    assert len(links) == 60 + 12
    for link in links:
        held = parse_qs(urlsplit(link).query)
        assert re.fullmatch(r"status=FAILED after:\S+Z before:\S+Z", held["q"][0])
        assert held["subscription"] == [SUBSCRIPTION]
    counted = next(link for link in links if f"after%3A{now - timedelta(minutes=31):%Y-%m-%dT%H}" in link)
    assert viewer.get(counted).status_code == 200


def test_page_does_not_wait_for_the_timeline(app: Flask, viewer: Visitor) -> None:
    with running(services_of(app).settings) as fresh:
        visitor = Visitor(fresh, "reader")
        first = visitor.get("/messages").text
        assert "data-pending" in first
        assert "Counting the last hour" in first
        wait_until(lambda: "data-pending" not in visitor.get("/timeline").text, "the end of the count")


def test_unmonitored_subscription_has_no_timeline(viewer: Visitor) -> None:
    assert viewer.get("/timeline?subscription=unmonitored").status_code == 400
    assert viewer.get("/timeline?q=levl:x").status_code == 400
