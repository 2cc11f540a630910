"""How concurrent entries share calls."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from functions.batch_queue import SPARE_CALL_AFTER_SECONDS, BatchQueue, QueueEntry
from infra.errors import StoreUnavailableError


class RecordedCalls:
    """Records the calls of a queue; each call waits for ``release``."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.release = asyncio.Event()

    async def send(self, entries: list[QueueEntry]) -> None:
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
        calls = RecordedCalls()
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000)
        entries = [queue.add(QueueEntry("first"))]
        await asyncio.sleep(0)
        entries += [queue.add(QueueEntry(str(number))) for number in range(50)]
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
def test_batch_keeps_its_limits_and_oversized_entry_is_sent_alone(sizes: list[int], batches: list[int]) -> None:
    async def story() -> None:
        calls = RecordedCalls()
        queue = BatchQueue[QueueEntry](calls.send, max_entries=3, max_bytes=100)
        entries = []
        for number, size in enumerate(sizes):
            entries.append(queue.add(QueueEntry(str(number), size)))
            await asyncio.sleep(0)
        calls.release.set()
        await asyncio.gather(*(entry.wait() for entry in entries))
        assert [len(batch) for batch in calls.batches] == batches

    run(story)


class Slow:
    """Records the calls of a queue; a call with a key in ``stuck`` waits for ``release``, any other ends soon."""

    def __init__(self, *stuck: str) -> None:
        self.stuck = set(stuck)
        self.batches: list[list[str]] = []
        self.release = asyncio.Event()
        self.in_flight: list[str] = []
        self.most_calls = self._calls = 0

    async def send(self, entries: list[QueueEntry]) -> None:
        keys = [entry.key for entry in entries]
        assert not set(keys) & set(self.in_flight), "a key is in flight twice"
        self.batches.append(keys)
        self.in_flight += keys
        self._calls += 1
        self.most_calls = max(self.most_calls, self._calls)
        await (self.release.wait() if self.stuck & set(keys) else asyncio.sleep(0.005))
        self._calls -= 1
        self.in_flight = [key for key in self.in_flight if key not in keys]
        for entry in entries:
            entry.resolve(None)


def test_hanging_call_delays_only_its_entries() -> None:
    async def story() -> None:
        calls = Slow("stuck")
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000, spare_calls=3)
        stuck = asyncio.create_task(queue.add(QueueEntry("stuck")).wait())
        await asyncio.sleep(0)
        start = asyncio.get_running_loop().time()
        assert await asyncio.gather(*(queue.add(QueueEntry(str(number))).wait() for number in range(50))) == [None] * 50
        waited = asyncio.get_running_loop().time() - start
        assert 0.9 * SPARE_CALL_AFTER_SECONDS < waited < SPARE_CALL_AFTER_SECONDS + 0.2
        assert [len(batch) for batch in calls.batches] == [1, 50], "they shared one call"
        for number in range(50, 60):
            assert await queue.add(QueueEntry(str(number))).wait() is None
        assert asyncio.get_running_loop().time() - start < waited + 0.2, "entries waited for a slow call"
        assert not stuck.done()
        calls.release.set()
        assert await stuck is None

    run(story)


def test_hanging_calls_are_bounded_by_the_limit_of_the_queue() -> None:
    async def story() -> None:
        calls = Slow(*(str(number) for number in range(6)))
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000, spare_calls=3)
        entries = []
        for number in range(6):
            entries.append(queue.add(QueueEntry(str(number))))
            await asyncio.sleep(SPARE_CALL_AFTER_SECONDS + 0.02)
        assert calls.batches == [["0"], ["1"], ["2"], ["3"]]
        calls.release.set()
        assert await asyncio.gather(*(entry.wait() for entry in entries)) == [None] * 6
        assert calls.most_calls == 4

    run(story)


def test_while_calls_end_in_time_there_is_one_in_flight() -> None:
    async def story() -> None:
        calls = Slow()
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000, spare_calls=3)
        entries = []
        for number in range(300):
            entries.append(queue.add(QueueEntry(str(number))))
            await asyncio.sleep(0.002)
        await asyncio.gather(*(entry.wait() for entry in entries))
        assert calls.most_calls == 1
        assert len(calls.batches) < 250, "they shared calls"

    run(story)


def test_entry_in_flight_is_joined_and_never_sent_in_parallel() -> None:
    async def story() -> None:
        calls = Slow("1")
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000, spare_calls=3)
        first = queue.add(QueueEntry("1"))
        await asyncio.sleep(SPARE_CALL_AFTER_SECONDS + 0.02)
        assert queue.find("1") is first
        again = queue.add(QueueEntry("1"))  # as for a count, which cannot join a call in flight
        assert await queue.add(QueueEntry("2")).wait() is None
        assert calls.batches == [["1"], ["2"]]
        calls.release.set()
        assert await asyncio.gather(*(entry.wait() for entry in (first, again))) == [None] * 2
        assert calls.batches == [["1"], ["2"], ["1"]]

    run(story)


def test_only_entries_with_a_holder_are_sent() -> None:
    async def story() -> None:
        calls = RecordedCalls()
        queue = BatchQueue[QueueEntry](calls.send, max_entries=400, max_bytes=1000)
        flying, dropped, shared = (queue.add(QueueEntry("flying")), QueueEntry("dropped"), QueueEntry("shared"))
        await asyncio.sleep(0)
        queue.add(dropped)
        queue.add(shared)
        with queue.hold([shared]):
            with queue.hold([flying, dropped, shared]):
                pass
            assert (queue.find("dropped"), queue.find("shared")) == (None, shared)
            calls.release.set()
            assert await shared.wait() is None
        assert calls.batches == [["flying"], ["shared"]]

    run(story)


def test_failed_call_leaves_outcome_unknown_and_queue_continues() -> None:
    async def story() -> None:
        broken = True

        async def send(entries: list[QueueEntry]) -> None:
            if broken:
                return
            entries[0].resolve(None)

        queue = BatchQueue[QueueEntry](send, max_entries=3, max_bytes=100)
        assert isinstance(await queue.add(QueueEntry("1")).wait(), StoreUnavailableError)
        broken = False
        assert await queue.add(QueueEntry("1")).wait() is None

    run(story)


def test_cancelled_waiter_does_not_cancel_the_others() -> None:
    async def story() -> None:
        calls = RecordedCalls()
        queue = BatchQueue[QueueEntry](calls.send, max_entries=3, max_bytes=100)
        entry = queue.add(QueueEntry("1"))
        leaver, stayer = asyncio.create_task(entry.wait()), asyncio.create_task(entry.wait())
        await asyncio.sleep(0)
        leaver.cancel()
        calls.release.set()
        assert await stayer is None

    run(story)
