"""A lane: concurrent requests share calls. While some are in flight, arriving entries queue; the next takes them all.

So a lone entry never waits, and the busier it gets, the fewer calls an entry costs. A call that takes unusually long
holds nobody but its own: the next one starts beside it. Knows nothing of protobufs.
"""

import asyncio
import contextlib
import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from infra.errors import StoreError, StoreUnavailableError

# Ten times what a call takes on a good day: below it, waiting and sharing is cheaper than one more call.
SPARE_CALL_AFTER_SECONDS = 0.25


class QueueEntry:
    """Something to send, once per ``key`` and call. Its one outcome, None or an error, is shared by all who wait."""

    __slots__ = ("_outcome", "holders", "key", "size_bytes")

    def __init__(self, key: str, size_bytes: int = 0) -> None:
        self.key = key
        self.size_bytes = size_bytes
        self.holders = 0
        self._outcome: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: StoreError | None) -> None:
        """Tell everyone; the first outcome stands."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def wait(self) -> StoreError | None:
        """The outcome. A waiter that is cancelled leaves the entry to the others."""
        return await asyncio.shield(self._outcome)


E = TypeVar("E", bound=QueueEntry)


async def first_error(entries: Sequence[QueueEntry]) -> StoreError | None:
    """The outcome of ``entries`` together: None when each has None, an error as soon as one has any."""
    waiting = {entry._outcome for entry in entries}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if refusal := next(filter(None, (one.result() for one in done)), None):
            return refusal
    return None


def without_traceback(outcome: StoreError) -> StoreError:
    """A copy of ``outcome`` to share or to raise: without the traceback, whose frames hold payloads.

    Raised by all who wait, one error would hold every frame of theirs, and they it, until Python looks for such rings.
    A frame that names the error which it raises is a ring by itself: raise what this returns, and keep no name for it.
    """
    return copy.copy(outcome)


class BatchQueue(Generic[E]):
    """Sends entries through ``send``, which resolves them; what it leaves has an unknown outcome.

    ``max_calls`` share the work. A call older than ``SPARE_CALL_AFTER_SECONDS`` no longer counts as one of them, until
    ``spare_calls`` are in flight beyond. An entry whose key is in flight waits for that call to end.
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
        self._calls: dict[asyncio.Task[None], float] = {}  # and when each began
        self._starting = False
        self._spare_call_timer: asyncio.TimerHandle | None = None

    def queued(self, key: str) -> E | None:
        """The entry of ``key`` that no call has taken yet."""
        return self._queued.get(key)

    def find(self, key: str) -> E | None:
        """The entry of ``key`` that is queued or in flight."""
        return self._queued.get(key) or self._flying.get(key)

    def add(self, entry: E) -> E:
        """Send ``entry`` with the next call."""
        self._queued[entry.key] = entry
        self._start_soon()
        return entry

    @contextlib.contextmanager
    def hold(self, entries: Sequence[E]) -> Iterator[None]:
        """Need ``entries`` until the end: what nobody needs any more, and no call has taken, is not sent."""
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
        # Whatever the loop has ready now comes along, or leaves: no time is spent waiting for it.
        if not self._starting and self._queued and self._may_start():
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._starting = False
        while self._queued and self._may_start() and (batch := self._take()):
            call = asyncio.create_task(self._call(batch))
            # The loop itself holds only a weak reference.
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
        # Calls begin one after the other, and a dict keeps their order.
        hindering = list(self._calls.values())[-self._max_calls]
        if _loop_time() >= hindering + SPARE_CALL_AFTER_SECONDS:
            return True
        if not self._spare_call_timer:
            self._spare_call_timer = asyncio.get_running_loop().call_at(
                hindering + SPARE_CALL_AFTER_SECONDS, self._start_spare_call
            )
        return False

    def _start_spare_call(self) -> None:
        self._spare_call_timer = None
        self._start_soon()

    def _take(self) -> list[E]:
        batch: list[E] = []
        left = self._max_bytes
        for entry in self._queued.values():
            if entry.key in self._flying:
                continue
            left -= entry.size_bytes
            if batch and (left < 0 or len(batch) == self._max_entries):
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
