"""A lane: concurrent requests share calls. While some are in flight, arriving entries queue; the next takes them all.

So a lone entry never waits, and the busier it gets, the fewer calls an entry costs. Knows nothing of protobufs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from infra.errors import StoreError, StoreUnavailableError


class Entry:
    """Something to send, once per ``key`` and call. Its one outcome, None or an error, is shared by all who wait."""

    __slots__ = ("_outcome", "key", "size_bytes")

    def __init__(self, key: str, size_bytes: int = 0) -> None:
        self.key = key
        self.size_bytes = size_bytes
        self._outcome: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()

    def resolve(self, outcome: StoreError | None) -> None:
        """Tell everyone; the first outcome stands."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def wait(self) -> StoreError | None:
        """The outcome. A waiter that is cancelled leaves the entry to the others."""
        return await asyncio.shield(self._outcome)


E = TypeVar("E", bound=Entry)


class Lane(Generic[E]):
    """Sends entries through ``send``, which resolves them; what it leaves has an unknown outcome."""

    def __init__(
        self,
        send: Callable[[list[E]], Awaitable[None]],
        *,
        max_entries: int,
        max_bytes: int,
        max_calls: int = 1,
    ) -> None:
        self._send = send
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_calls = max_calls
        self._queued: dict[str, E] = {}
        self._flying: dict[str, E] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._starting = False

    def queued(self, key: str) -> E | None:
        """The entry of ``key`` that no call has taken yet."""
        return self._queued.get(key)

    def find(self, key: str) -> E | None:
        """The entry of ``key`` that is queued or in flight."""
        return self._queued.get(key) or self._flying.get(key)

    def add(self, entry: E) -> E:
        """Send ``entry`` with the next call."""
        self._queued[entry.key] = entry
        if not self._starting and len(self._calls) < self._max_calls:
            # Whatever the loop has ready now comes along: no time is spent waiting for it.
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)
        return entry

    def _start(self) -> None:
        self._starting = False
        while self._queued and len(self._calls) < self._max_calls:
            call = asyncio.create_task(self._call(self._take()))
            # The loop itself holds only a weak reference.
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._start()

    def _take(self) -> list[E]:
        batch: list[E] = []
        left = self._max_bytes
        for entry in self._queued.values():
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
                self._flying.pop(entry.key, None)
                entry.resolve(StoreUnavailableError("It is not known whether the write happened."))
