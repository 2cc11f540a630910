"""Following: each message once, late ones as well, with few reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.cli.follow import Follower
from infra.firestore.message_reader import EVERYTHING, MessageReader, Selection
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer

START = datetime(2026, 1, 2, tzinfo=UTC)


class CountingReader(MessageReader):
    """Counts the messages that it reads."""

    read = 0

    def page(
        self,
        selection: Selection = EVERYTHING,
        *,
        before: Cursor | None = None,
        since: datetime | None = None,
        limit: int = 50,
    ) -> list[Message]:
        found = super().page(selection, before=before, since=since, limit=limit)
        self.read += len(found)
        return found

    def since(self, after: Cursor, selection: Selection = EVERYTHING, *, limit: int = 500) -> list[Message] | None:
        found = super().since(after, selection, limit=limit)
        self.read += limit + 1 if found is None else len(found)
        return found


@pytest.fixture
def writer() -> Iterator[Writer]:
    local = LocalFirestore()
    made = Writer(local.address)
    yield made
    made.close()
    local.close()


@pytest.fixture
def reader(writer: Writer) -> CountingReader:
    return CountingReader(writer.database, shards=1)


def ids(messages: list[Message]) -> list[str]:
    return [message.id for message in messages]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_nothing_is_missed_or_read_often_at_a_high_rate(writer: Writer, reader: CountingReader) -> None:
    writer.messages(100, received_at=at(0))
    follower = Follower(reader, EVERYTHING)
    reader.read = 0
    for second in range(1, 12):
        written = writer.messages(100, received_at=at(second))
        assert sorted(ids(follower.poll())) == sorted(written)
        assert not follower.has_missed
    # Each about twice, and the sweep once more.
    assert reader.read <= 11 * 100 * 3.2
    for _ in range(20):
        assert follower.poll() == []
    reader.read = 0
    for _ in range(10):
        follower.poll()
    assert reader.read <= 100, "while nothing arrives, only a sweep reads the newest moment again"


def test_message_that_becomes_readable_late_is_returned_once(writer: Writer, reader: CountingReader) -> None:
    follower = Follower(reader, EVERYTHING)
    late: list[str] = []
    returned: list[str] = []
    for second in range(1, 41):
        writer.message(received_at=at(second))
        if second in (12, 25):
            late += writer.messages(2, received_at=at(second - 9.5))
        returned += ids(follower.poll())
    assert len(returned) == len(set(returned)) == 40 + len(late)
    assert set(late) < set(returned)


def test_first_poll_returns_what_came_after_the_start(writer: Writer, reader: CountingReader) -> None:
    old = writer.messages(3, received_at=at(0))
    follower = Follower(reader, EVERYTHING)
    late, shown, new = (
        writer.message(received_at=at(-1)),
        writer.message(received_at=at(1)),
        writer.message(received_at=at(2)),
    )
    follower.remember(reader.get_many([shown]))
    assert ids(follower.poll()) == [late, new]
    assert not set(old) & set(ids(follower.poll()))


def test_more_than_a_page_is_read_in_order(
    writer: Writer, reader: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.cli.follow._PAGE", 20)
    monkeypatch.setattr("infra.cli.follow.MAX_READ", 100)
    follower = Follower(reader, EVERYTHING)
    written = [writer.message(received_at=at(number / 100)) for number in range(90)]
    assert ids(follower.poll()) == written
    assert not follower.has_missed
    written = [writer.message(received_at=at(10 + number / 100)) for number in range(130)]
    assert ids(follower.poll()) == written[-100:]
    assert follower.has_missed
