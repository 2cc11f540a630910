"""How concurrent entries share calls."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from functions.body import Room
from functions.lane import Entry, Lane
from infra.errors import StoreUnavailableError


class Calls:
    """What a lane sent; each call waits for ``release``."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.release = asyncio.Event()

    async def send(self, entries: list[Entry]) -> None:
        self.batches.append([entry.key for entry in entries])
        await self.release.wait()
        for entry in entries:
            entry.resolve(None)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await story()

    asyncio.run(bounded())


def test_entries_queue_while_a_call_is_in_flight_and_the_next_takes_them_all() -> None:
    async def story() -> None:
        calls = Calls()
        lane = Lane[Entry](calls.send, max_entries=400, max_bytes=1000)
        entries = [lane.add(Entry("first"))]
        await asyncio.sleep(0)
        entries += [lane.add(Entry(str(number))) for number in range(50)]
        await asyncio.sleep(0)
        assert calls.batches == [["first"]], "a lone entry goes at once"
        calls.release.set()
        assert await asyncio.gather(*(entry.wait() for entry in entries)) == [None] * 51
        assert [len(batch) for batch in calls.batches] == [1, 50]

    run(story)


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [([1] * 7, [1, 3, 3]), ([1, 60, 60, 10], [1, 1, 2]), ([1, 500, 500], [1, 1, 1]), ([1, 50, 50, 50], [1, 2, 1])],
)
def test_a_call_keeps_its_limits_and_an_oversized_entry_goes_alone(sizes: list[int], batches: list[int]) -> None:
    async def story() -> None:
        calls = Calls()
        lane = Lane[Entry](calls.send, max_entries=3, max_bytes=100)
        entries = []
        for number, size in enumerate(sizes):
            entries.append(lane.add(Entry(str(number), size)))
            await asyncio.sleep(0)
        calls.release.set()
        await asyncio.gather(*(entry.wait() for entry in entries))
        assert [len(batch) for batch in calls.batches] == batches

    run(story)


def test_a_call_that_breaks_leaves_an_unknown_outcome_and_the_lane_goes_on() -> None:
    async def story() -> None:
        broken = True

        async def send(entries: list[Entry]) -> None:
            if broken:
                return
            entries[0].resolve(None)

        lane = Lane[Entry](send, max_entries=3, max_bytes=100)
        assert isinstance(await lane.add(Entry("1")).wait(), StoreUnavailableError)
        broken = False
        assert await lane.add(Entry("1")).wait() is None

    run(story)


def test_a_waiter_that_leaves_does_not_cancel_the_others() -> None:
    async def story() -> None:
        calls = Calls()
        lane = Lane[Entry](calls.send, max_entries=3, max_bytes=100)
        entry = lane.add(Entry("1"))
        leaver, stayer = asyncio.create_task(entry.wait()), asyncio.create_task(entry.wait())
        await asyncio.sleep(0)
        leaver.cancel()
        calls.release.set()
        assert await stayer is None

    run(story)


def test_large_bodies_wait_for_room_in_turn() -> None:
    async def story() -> None:
        room = Room(300_000)
        log: list[str] = []

        async def hold(name: str, length: int, seconds: float) -> None:
            async with room.hold(length):
                log.append(name)
                await asyncio.sleep(seconds)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hold("a", 200_000, 0.02))
            tasks.create_task(hold("b", 200_000, 0.02))
            tasks.create_task(hold("c", 70_000, 0))
            tasks.create_task(hold("small", 1000, 0))
        assert log == ["a", "small", "b", "c"]

    run(story)


def test_who_leaves_the_queue_for_room_takes_none() -> None:
    async def story() -> None:
        room = Room(100_000)

        async def hold() -> None:
            async with room.hold(100_000):
                await asyncio.sleep(0.01)

        first = asyncio.create_task(hold())
        second, third = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0)
        second.cancel()
        await first
        await third
        async with room.hold(100_000):
            pass

    run(story)
