"""A viewer with a clock that is wrong shows every message: positions come from Firestore's clock alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.message_reader import EVERYTHING
from infra.firestore.search import SearchResult, search
from infra.messages.cursor import Cursor
from infra.query import Query, parse
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import viewing
from tests.support.waiting import wait_until
from web.live.sse import parse_position
from web.messages.list_page import ListPage

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
NEWEST = Cursor(NOW - timedelta(hours=1), "a" * 32)
BEFORE = Cursor(NOW - timedelta(hours=2), "b" * 32)
SEARCHED = Cursor(NOW - timedelta(seconds=10), "0" * 32)


def shown(text: str, found: SearchResult, before: Cursor | None = None) -> ListPage:
    return ListPage(text, "", before, parse(text, NOW), found)


@pytest.mark.parametrize(
    ("text", "before", "newest", "read_at", "position"),
    [
        ("", None, NEWEST, NOW, NEWEST),
        ("word", None, NEWEST, NOW, NEWEST),
        ("", None, None, NOW, SEARCHED),
        ("id:1", None, None, NOW, SEARCHED),
        ("", BEFORE, NEWEST, NOW, SEARCHED),
        ("before:1h", None, NEWEST, NOW, SEARCHED),
        ("", None, None, None, None),
    ],
)
def test_stream_starts_at_the_newest_message_or_at_the_time_of_the_search(
    text: str, before: Cursor | None, newest: Cursor | None, read_at: datetime | None, position: Cursor | None
) -> None:
    assert shown(text, SearchResult([], newest, None, 0, read_at), before).live_from == position


@pytest.fixture
def firestore(ahead_seconds: int) -> Iterator[LocalFirestore]:
    """A Firestore with a clock that is ahead of the viewer's."""
    local = LocalFirestore()
    local.firestore.store.clock.ahead_microseconds = ahead_seconds * 1_000_000
    yield local
    local.close()


@pytest.mark.parametrize("ahead_seconds", [-3_600, -45, 0, 3_600])
def test_message_between_page_and_stream_arrives(firestore: LocalFirestore) -> None:
    writer = Writer(firestore.address)
    with viewing(firestore.address) as view:
        page = shown("", search(view.messages, EVERYTHING, Query()))
        document = writer.message()
        client = view.client(parse_position("", str(page.live_from)))
        wait_until(lambda: client.ids() == [document], "the message that came between page and stream")
        later = writer.message()
        wait_until(lambda: client.ids() == [document, later], "the next message")
        assert not client.of("resync")
    writer.close()
