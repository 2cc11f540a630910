"""A batching queue: while one call is in flight, new entries wait, and the next call sends them all.

A single entry never waits, and under load each entry costs fewer calls. If a call is unusually slow, the next one
starts in parallel, so that only the entries of the slow call are delayed. Knows nothing of protobufs.
"""

import asyncio
import contextlib
import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from infra.errors import StoreError, StoreUnavailableError

# Ten times the usual duration of a call. Below that, waiting for a shared call is cheaper than one more call.
SPARE_CALL_AFTER_SECONDS = 0.25


class QueueEntry:
    """An item to send, at most once per ``key`` in a call. All waiters share its outcome: None or an error."""

    __slots__ = ("_outcome", "holders", "key", "size_bytes")

    def __init__(self, key: str, size_bytes: int = 0) -> None:
        self.key = key
        self.size_bytes = size_bytes
        self.holders = 0
        self._outcome: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: StoreError | None) -> None:
        """Set the outcome; later ones are ignored."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def wait(self) -> StoreError | None:
        """Return the outcome. Cancelling one waiter does not cancel the entry."""
        return await asyncio.shield(self._outcome)


E = TypeVar("E", bound=QueueEntry)


async def first_error(entries: Sequence[QueueEntry]) -> StoreError | None:
    """Return the first error of any entry as soon as there is one, or None when all entries have succeeded."""
    waiting = {entry._outcome for entry in entries}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if error := next(filter(None, (outcome.result() for outcome in done)), None):
            return error
    return None


def without_traceback(outcome: StoreError) -> StoreError:
    """Copy ``outcome``, to be shared or raised, without its traceback.

    If every waiter raised the same exception object, its traceback would keep all their frames (and payloads) alive in
    a reference cycle until the garbage collector runs. A frame that keeps a variable for the error which it raises is
    such a cycle alone: raise the copy directly, without a name.
    """
    return copy.copy(outcome)


class BatchQueue(Generic[E]):
    """Sends entries through ``send``, which resolves them. An entry that it leaves open gets "outcome unknown".

    Up to ``max_calls`` calls run in parallel. Calls older than ``SPARE_CALL_AFTER_SECONDS`` do not count, up to
    ``spare_calls`` of them. While a key is in flight, a new entry with that key waits for the call to end.
    """

    def __init__(
        self,
        send: Callable[[list[E]], Awaitable[None]],
        *,
        max_entries: int,
        max_bytes: int,
        max_calls: int = 1,
        spare_calls: int = 0,
    ) -> None:
        self._send = send
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_calls = max_calls
        self._spare_calls = spare_calls
        self._queued: dict[str, E] = {}
        self._flying: dict[str, E] = {}
        self._calls: dict[asyncio.Task[None], float] = {}  # with the loop time of its start
        self._starting = False
        self._spare_call_timer: asyncio.TimerHandle | None = None

    def queued(self, key: str) -> E | None:
        """Return the entry of ``key`` that is in no call yet."""
        return self._queued.get(key)

    def find(self, key: str) -> E | None:
        """Return the entry of ``key`` that is queued or in flight."""
        return self._queued.get(key) or self._flying.get(key)

    def add(self, entry: E) -> E:
        """Queue ``entry`` for the next call and return it."""
        self._queued[entry.key] = entry
        self._start_soon()
        return entry

    @contextlib.contextmanager
    def hold(self, entries: Sequence[E]) -> Iterator[None]:
        """Hold ``entries`` within the block; at its end, remove those still queued that have no other holder."""
        for entry in entries:
            entry.holders += 1
        try:
            yield
        finally:
            for entry in entries:
                entry.holders -= 1
                if not entry.holders and self._queued.get(entry.key) is entry:
                    del self._queued[entry.key]

    def _start_soon(self) -> None:
        # Start on the next loop iteration, so that everything already scheduled can join or cancel first.
        if not self._starting and self._queued and self._may_start():
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._starting = False
        while self._queued and self._may_start() and (batch := self._take()):
            call = asyncio.create_task(self._call(batch))
            # The event loop itself holds only a weak reference.
            self._calls[call] = _loop_time()
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        del self._calls[call]
        self._start_soon()

    def _may_start(self) -> bool:
        if len(self._calls) < self._max_calls:
            return True
        if len(self._calls) >= self._max_calls + self._spare_calls:
            return False
        # The oldest of the newest ``max_calls`` calls (a dict keeps the order of the starts): once it is slow, fewer
        # than ``max_calls`` count.
        started_at = list(self._calls.values())[-self._max_calls]
        if _loop_time() >= started_at + SPARE_CALL_AFTER_SECONDS:
            return True
        if not self._spare_call_timer:
            self._spare_call_timer = asyncio.get_running_loop().call_at(
                started_at + SPARE_CALL_AFTER_SECONDS, self._start_spare_call
            )
        return False

    def _start_spare_call(self) -> None:
        self._spare_call_timer = None
        self._start_soon()

    def _take(self) -> list[E]:
        batch: list[E] = []
        bytes_left = self._max_bytes
        for entry in self._queued.values():
            if entry.key in self._flying:
                continue
            bytes_left -= entry.size_bytes
            if batch and (bytes_left < 0 or len(batch) == self._max_entries):
                break
            batch.append(entry)
        for entry in batch:
            del self._queued[entry.key]
            self._flying[entry.key] = entry
        return batch

    async def _call(self, batch: list[E]) -> None:
        try:
            await self._send(batch)
        finally:
            for entry in batch:
                del self._flying[entry.key]
                entry.resolve(StoreUnavailableError("It is not known whether the write happened."))


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
