"""Search over a real Firestore: the index and the scan find the same, pages follow without gap, bounds hold."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader, Selection
from infra.firestore.search import SearchBounds, SearchResult, narrowed, search
from infra.messages.cursor import Cursor
from infra.messages.message import Message, document_id, index_tokens, read_content
from infra.query import Query, parse
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from web.live.client_filter import parse_client_filter

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
COUNT = 160
PLENTY = SearchBounds(messages=10_000, seconds=30)


def store(writer: Writer, number: int) -> None:
    attributes = {"status": ("FAILED", "SUCCESS", "WORKING")[number % 3], "number": str(number)}
    if number % 40 == 0:
        # More tokens than the index holds: a search still finds the last ones.
        attributes |= {f"a{extra:02}": "x" for extra in range(35)} | {"zz": "late"}
    held = {"id": number % 10, "user": {"id": number % 7}, "text": "Grüße" if number % 11 == 0 else "plain", "zz": "y"}
    data = json.dumps(held, ensure_ascii=False).encode() if number % 5 else b"\xff\x00 bytes"
    content = read_content(data)
    writer.message(
        subscription="builds" if number % 4 else "orders",
        received_at=NOW - timedelta(seconds=number // 2),
        attributes=attributes,
        tokens=list(index_tokens(attributes, content.scalars)),
        kind=content.kind,
        preview=content.preview,
        data=data,
        size_bytes=len(data),
        deliveries=2 if number % 13 == 0 else 1,
        ordering_key="k" if number % 2 else "",
        shard=number % 3,
    )


@pytest.fixture(scope="module")
def messages() -> Iterator[MessageReader]:
    local = LocalFirestore()
    writer = Writer(local.address)
    database = Database(settings_for(local.address))
    for number in range(COUNT):
        store(writer, number)
    yield MessageReader(database, shards=3)
    writer.close()
    database.close()
    local.close()


def ids(found: list[Message]) -> list[str]:
    return [message.id for message in found]


def every_page(messages: MessageReader, query: Query, selection: Selection = EVERYTHING, limit: int = 7) -> list[str]:
    """All matches, page by page."""
    found: list[str] = []
    before: Cursor | None = None
    while True:
        page = search(messages, selection, query, before=before, limit=limit, bounds=PLENTY)
        found += ids(page.messages)
        if page.older is None:
            return found
        before = page.older


FILTERS = [
    ("", 160),
    ("status=FAILED", 54),
    ("status=FAILED data.id=3", 6),
    ("data.id=3", 16),
    ("data.user.id=3", 18),
    ("zz=late", 4),
    ("data.zz=y", 128),
    ("a34=x", 4),
    ("status=FAILED zz=late", 2),
    ("-status=FAILED", 106),
    ("status=FAILED OR status=WORKING", 107),
    ("status=FAILED OR zz=late", 56),
    ("zz=late OR grüße", 16),
    ("grüße", 12),
    ("kind:binary has:redelivery", 3),
    ("subscription:orders", 40),
    ("subscription:orders status=WORKING", 13),
    ("number~15", 12),
    (f"after:{(NOW - timedelta(seconds=10)).isoformat()}", 22),
    (f"before:{(NOW - timedelta(seconds=70)).isoformat()}", 18),
    (f"status=FAILED after:{(NOW - timedelta(seconds=10)).isoformat()} before:{NOW.isoformat()}", 7),
    ("after:2030-01-01", 0),
    ("status=NONE", 0),
]


@pytest.mark.parametrize(("text", "count"), FILTERS)
def test_index_and_the_scan_find_the_same(messages: MessageReader, text: str, count: int) -> None:
    query = parse(text, NOW)
    stored = messages.page(limit=COUNT + 1)
    expected = [message.id for message in stored if query.matches(message)]
    assert every_page(messages, query) == expected
    assert len(expected) == count


@pytest.mark.parametrize(("text", "count"), FILTERS)
def test_history_and_live_match_the_same_messages(messages: MessageReader, text: str, count: int) -> None:
    client_filter = parse_client_filter(text, "builds")
    stored = messages.page(limit=COUNT + 1)
    live = [message.id for message in stored if client_filter.accepts(message)]
    assert every_page(messages, parse(text, NOW), Selection("builds")) == live
    replayed = messages.since(Cursor(NOW - timedelta(hours=1), "0" * 32), client_filter.selection)
    assert replayed is not None
    assert [message.id for message in replayed[::-1] if client_filter.accepts(message)] == live


def test_search_ends_at_its_bound_and_goes_on_from_there(messages: MessageReader) -> None:
    query = parse("-kind:binary zz=late", NOW)
    assert narrowed(EVERYTHING, query).tokens == ("zz=late",)
    scan = parse('"zz=late" status~', NOW)  # no message contains this text
    seen, looked_at, before = [SearchResult([], None, None, 0)], 0, None
    while not looked_at or before:
        seen.append(search(messages, EVERYTHING, scan, before=before, limit=5, bounds=SearchBounds(messages=50)))
        looked_at, before = looked_at + seen[-1].looked_at, seen[-1].older
        assert seen[-1].looked_at <= 50
    assert looked_at == COUNT
    assert not any(page.messages for page in seen)


@pytest.fixture(scope="module")
def named() -> Iterator[MessageReader]:
    """Ids as the receiver makes them; ``gone`` was monitored once."""
    local = LocalFirestore()
    writer = Writer(local.address)
    database = Database(settings_for(local.address))
    for number, subscription in enumerate(("builds", "orders", "gone")):
        writer.named(subscription, "77", received_at=NOW - timedelta(seconds=number), kind="json")
        writer.messages(50, subscription=subscription, received_at=NOW - timedelta(seconds=number))
    writer.named("gone", "78", received_at=NOW - timedelta(seconds=9))
    yield MessageReader(database, shards=1, subscriptions=("builds", "orders"))
    writer.close()
    database.close()
    local.close()


@pytest.mark.parametrize(
    ("text", "subscription", "found", "looked_at"),
    [
        ("id:77 subscription:orders", "", ["orders"], 2),
        ("id:77", "builds", ["builds"], 2),
        ("id:77", "", ["builds", "orders"], 3),
        ("id:77 subscription:gone", "", ["gone"], 2),
        ("id:79 subscription:orders", "", [], 2),
        ("id:77 kind:text", "builds", [], 2),
        (f"id:77 after:{NOW.isoformat()}", "", ["builds"], 3),
        (f"id:{document_id('orders', '77')}", "", ["orders"], 3),
        (f"id:{document_id('orders', '77')}", "builds", [], 2),
        # A subscription that is no longer monitored needs a search.
        ("id:78", "", ["gone"], 154),
        ("-id:77 kind:json", "", [], 154),
    ],
)
def test_message_id_is_read_without_a_search(
    named: MessageReader, text: str, subscription: str, found: list[str], looked_at: int
) -> None:
    page = search(named, Selection(subscription), parse(text, NOW), limit=200)
    assert [message.subscription for message in page.messages] == found
    assert (page.looked_at, page.older) == (looked_at, None)


def test_id_pages_like_any_filter(named: MessageReader) -> None:
    query = parse("id:77", NOW)
    first = search(named, EVERYTHING, query, limit=1)
    assert [one.subscription for one in first.messages] == ["builds"]
    second = search(named, EVERYTHING, query, before=first.older, limit=1)
    assert [one.subscription for one in second.messages] == ["orders"]
    assert second.older is None
    # The live stream does not begin at the age of the match.
    assert first.newest is None


def test_search_ends_in_time(messages: MessageReader) -> None:
    found = search(messages, EVERYTHING, parse("nowhere", NOW), limit=5, bounds=SearchBounds(seconds=0))
    assert (found.looked_at, found.messages) == (6, [])
    assert found.older is not None


class Steps:
    """A pace that ends each search after a number of questions."""

    def __init__(self, questions: int) -> None:
        self.questions = self.left = questions

    def goes_on(self, deadline: float) -> bool:
        self.left -= 1
        return self.left > 0


@pytest.mark.parametrize("questions", [1, 3, 40])
@pytest.mark.parametrize("text", ["status=FAILED", "number~15", "nowhere"])
def test_search_that_ends_within_a_page_goes_on_at_the_same_message(
    messages: MessageReader, text: str, questions: int
) -> None:
    query = parse(text, NOW)
    found: list[str] = []
    before: Cursor | None = None
    for _ in range(COUNT):
        page = search(messages, EVERYTHING, query, before=before, limit=7, bounds=PLENTY, pace=Steps(questions))
        found += ids(page.messages)
        # Ten messages at any pace, then one for each answer; the first question comes before the search.
        assert page.looked_at <= max(10, 10 + questions - 2)
        before = page.older
        if before is None:
            break
    assert found == every_page(messages, query)


@pytest.mark.parametrize("limit", [1, 50, 100, 150])
def test_page_full_of_matches_reads_only_those(messages: MessageReader, limit: int) -> None:
    found = search(messages, EVERYTHING, Query(), limit=limit)
    assert (found.looked_at, len(found.messages)) == (limit + 1, limit)


def test_stream_begins_at_the_newest_message_examined(messages: MessageReader) -> None:
    newest = messages.page(limit=1)[0].cursor
    assert search(messages, EVERYTHING, parse("number=159", NOW), limit=5).newest is not None
    assert search(messages, EVERYTHING, parse("number~159", NOW), limit=5).newest == newest


def test_span_is_counted(messages: MessageReader) -> None:
    since, until = NOW - timedelta(seconds=10), NOW
    assert messages.count(since=since, until=until) == 20
    assert messages.count(Selection("orders"), since=since, until=until) == 5
    assert messages.count(until=since) == COUNT - 22
    assert messages.count(since=since, until=until, up_to=7) == 7
