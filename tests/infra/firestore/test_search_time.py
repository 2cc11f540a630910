"""A search ends in time for every filter and payload, says how far it looked, and the next one goes on there."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader
from infra.firestore.search import SearchBounds, search
from infra.messages.chunks import INLINE_BYTES
from infra.messages.cursor import Cursor
from infra.messages.masking import Mask
from infra.messages.message import Message
from infra.query import Query, parse
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.machine import Machine
from web.access.cpu_share import CpuRate, CpuShare, Pace

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
ONES = b'{"a":[' + b"1," * 8_180 + b"1]}"
COUNT = 80
MASK_SECONDS = 0.014
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


@dataclass(frozen=True)
class CountingMask(Mask):
    """A mask that counts the messages that pass it, and takes the CPU of a machine for each."""

    passed: list[str] = field(default_factory=list)
    machine: Machine = field(default_factory=Machine)

    def see(self, message: Message) -> Message:
        self.passed.append(message.id)
        self.machine.work(MASK_SECONDS)
        return super().see(message)


class SlowMask(Mask):
    """A mask that takes a fifth of a second for each message."""

    def see(self, message: Message) -> Message:
        time.sleep(0.2)
        return super().see(message)


def test_search_of_costly_messages_ends_soon_after_its_deadline(
    firestore: LocalFirestore, messages: MessageReader
) -> None:
    database = Database(settings_for(firestore.address))
    reader = MessageReader(database, shards=1, mask=SlowMask(("x",)))
    found = search(reader, EVERYTHING, Query(), bounds=SearchBounds(seconds=0.1))
    assert 1 <= found.looked_at < 10
    assert found.older == found.messages[-1].cursor
    assert 0.1 < found.seconds < 2
    database.close()


class Allowing:
    """A pace that allows a number of steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def goes_on(self, deadline: float) -> bool:
        self.left -= 1
        return self.left >= 0


# The first step is the one before the first read, the others come after ten messages.
@pytest.mark.parametrize(("steps", "masked"), [(0, 10), (1, 10), (2, 11), (15, 24), (1_000, 51)])
def test_search_masks_no_message_before_its_pace_allows_it(
    firestore: LocalFirestore, messages: MessageReader, steps: int, masked: int
) -> None:
    database = Database(settings_for(firestore.address))
    mask = CountingMask(("data.card.number",))
    found = search(MessageReader(database, shards=1, mask=mask), EVERYTHING, Query(), pace=Allowing(steps))
    assert (len(mask.passed), found.looked_at) == (masked, masked)
    assert mask.passed == [message.id for message in messages.page(limit=masked)]
    database.close()


@pytest.mark.parametrize(("used", "most"), [(0.0, 0.3 + 2 / 8 + 10 * MASK_SECONDS), (100.0, 10 * MASK_SECONDS)])
def test_search_through_a_costly_mask_stays_within_the_share(
    firestore: LocalFirestore, messages: MessageReader, used: float, most: float
) -> None:
    machine = Machine(now=time.monotonic())
    share = CpuShare(CpuRate(per_second=1 / 8, saved_seconds=0.3, overdrawn_seconds=200.0), machine.clock)
    share.charge(used)
    pace = Pace(share, clock=machine.clock, cpu_clock=machine.cpu_clock, sleep=machine.sleep)
    mask, database = CountingMask(("data.card.number",), machine=machine), Database(settings_for(firestore.address))
    reader, began = MessageReader(database, shards=1, mask=mask), machine.cpu
    found = search(reader, EVERYTHING, parse("nowhere", NOW), pace=pace)
    assert machine.cpu - began + 1e-6 >= 10 * MASK_SECONDS
    assert machine.cpu - began <= most + MASK_SECONDS
    assert found.looked_at == len(mask.passed) < COUNT
    database.close()
