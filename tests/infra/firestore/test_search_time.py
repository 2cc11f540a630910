"""A search ends in time for every filter and payload, says how far it looked, and the next one goes on there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader
from infra.firestore.search import SearchBounds, search
from infra.messages.chunks import INLINE_BYTES
from infra.messages.cursor import Cursor
from infra.query import Query, parse
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
ONES = b'{"a":[' + b"1," * 8_180 + b"1]}"
COUNT = 80
COSTLIEST = " OR ".join(f"data.*.*=z{number}" for number in range(15))


@pytest.fixture(scope="module")
def firestore() -> Iterator[LocalFirestore]:
    local = LocalFirestore()
    yield local
    local.close()


@pytest.fixture(scope="module")
def messages(firestore: LocalFirestore) -> Iterator[MessageReader]:
    writer = Writer(firestore.address)
    database = Database(settings_for(firestore.address))
    assert len(ONES) <= INLINE_BYTES
    for number in range(COUNT):
        writer.message(data=ONES, kind="json", size_bytes=len(ONES), received_at=NOW - timedelta(seconds=number))
    yield MessageReader(database, shards=1)
    writer.close()
    database.close()


def test_costliest_filter_ends_in_time_and_goes_on(messages: MessageReader) -> None:
    query = parse(COSTLIEST, NOW)
    looked_at, searches = 0, 0
    before: Cursor | None = None
    while searches == 0 or before:
        found = search(messages, EVERYTHING, query, before=before, bounds=SearchBounds(seconds=0.03))
        assert found.looked_at >= 10 or found.older is None
        looked_at, searches, before = looked_at + found.looked_at, searches + 1, found.older
    assert looked_at == COUNT
    assert searches > 1


def test_time_of_the_search_is_firestores(messages: MessageReader) -> None:
    before, after = messages.read_page(limit=1).read_at, NOW + timedelta(days=365 * 30)
    for text in ("", "nowhere", "data.a=none", "id:77", f"after:{after.isoformat()}"):
        found = search(messages, EVERYTHING, parse(text, NOW), bounds=SearchBounds(messages=60))
        assert found.read_at is not None
        assert before <= found.read_at <= messages.read_page(limit=1).read_at
    assert search(messages, EVERYTHING, Query(), bounds=SearchBounds(seconds=0)).read_at
