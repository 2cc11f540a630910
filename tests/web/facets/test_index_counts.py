"""Exact counts: kept for ten seconds, shared by looks at the same time, and counted again after a failure."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.errors import StoreUnavailableError
from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader, Selection
from infra.messages.message import MORE_TOKENS
from infra.query.counted import Countable
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.waiting import wait_until
from web.facets.index_counts import KEPT_SECONDS, Counted, IndexCounts

OK, FAILED = Countable("tallied", ("status=OK",)), Countable("tallied", ("status=FAILED",))
BUSY = Countable("full", ("status=OK",))


class Reader(MessageReader):
    """The stored messages; remembers the tokens that were counted."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asked: list[tuple[str, ...]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fails = False

    def count(self, selection: Selection = EVERYTHING, **limits: Any) -> int:
        self.asked.append(selection.tokens)
        self.may_answer.wait(5)
        if self.fails:
            raise StoreUnavailableError("counting messages: not now")
        return super().count(selection, **limits)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def database(firestore: LocalFirestore) -> Iterator[Database]:
    writer = Writer(firestore.address)
    for status in ("OK", "OK", "FAILED"):
        writer.message(subscription="tallied", attributes={"status": status}, tokens=[f"status={status}"])
    writer.message(subscription="full", tokens=["status=OK", MORE_TOKENS])
    made = Database(settings_for(firestore.address))
    yield made
    made.close()
    writer.close()


@pytest.fixture
def reader(database: Database) -> Reader:
    return Reader(database, 1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(reader: Reader, clock: Clock) -> IndexCounts:
    return IndexCounts(reader, clock)


def test_each_value_is_counted_exactly(counts: IndexCounts) -> None:
    none = Countable("tallied", ("status=GONE",))
    assert counts.count("", [OK, FAILED, none]) == [Counted(2), Counted(1), Counted(0)]


def test_count_is_a_lower_bound_beside_messages_with_more_fields_than_the_index_holds(counts: IndexCounts) -> None:
    assert counts.count("", [BUSY]) == [Counted(1, is_at_least=True)]


def test_count_without_a_token_is_exact(counts: IndexCounts, reader: Reader) -> None:
    assert counts.count("", [Countable("full")]) == [Counted(1)]
    assert reader.asked == [()]


def test_counts_are_kept_for_ten_seconds(counts: IndexCounts, reader: Reader, clock: Clock) -> None:
    counts.count("", [OK])
    first = len(reader.asked)
    clock.now = KEPT_SECONDS - 0.1
    counts.count("", [OK])
    assert len(reader.asked) == first == 2, "the value, and the messages with more fields"
    clock.now = KEPT_SECONDS + 0.1
    counts.count("", [OK])
    assert len(reader.asked) == 2 * first
    assert len(counts) == first, "old counts are forgotten"


def test_another_filter_is_counted_again(counts: IndexCounts, reader: Reader) -> None:
    counts.count("after:10m", [OK])
    counts.count("after:20m", [OK])
    assert len(reader.asked) == 4


def test_looks_at_the_same_time_share_one_count(counts: IndexCounts, reader: Reader) -> None:
    reader.may_answer.clear()
    answers: list[list[Counted]] = []
    looks = [threading.Thread(target=lambda: answers.append(counts.count("", [OK]))) for _ in range(5)]
    for look in looks:
        look.start()
    wait_until(lambda: len(reader.asked) == 2, "the counts of the first look")
    reader.may_answer.set()
    for look in looks:
        look.join(10)
    assert answers == [[Counted(2)]] * 5
    assert len(reader.asked) == 2


def test_failure_raises_and_is_not_kept(counts: IndexCounts, reader: Reader) -> None:
    reader.fails = True
    with pytest.raises(StoreUnavailableError):
        counts.count("", [OK, FAILED])
    reader.fails = False
    assert counts.count("", [OK, FAILED]) == [Counted(2), Counted(1)]
