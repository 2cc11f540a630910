"""What a Listen stream has still to send: bounded, so that a client that does not read costs no memory.

Documents wait as references to what the store holds anyway and are encoded when their turn comes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple

from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import resource_exhausted
from infra.local.firestore.protos import ListenResponse, Pb, TargetChange
from infra.local.firestore.storage.clock import put_time

# About 16,000 small changes, or 64 documents of the largest size. The overhead stands for the entry itself and the
# snapshot that follows it.
_MAX_WAITING_BYTES = 64 * 1024 * 1024
_OVERHEAD_BYTES = 4096


class Told(NamedTuple):
    """One document: in ``target_ids`` now, no longer in ``removed_target_ids``; None when it does not exist."""

    name: str
    document: Stored | None
    target_ids: tuple[int, ...]
    removed_target_ids: tuple[int, ...]
    time: int

    def encode(self) -> Pb:
        response = ListenResponse()
        if self.target_ids and self.document is not None:
            change = response.document_change
            change.document.CopyFrom(self.document.pb)
            change.target_ids.extend(self.target_ids)
        else:
            change = response.document_delete if self.document is None else response.document_remove
            change.document = self.name
            put_time(change.read_time, self.time)
        change.removed_target_ids.extend(self.removed_target_ids)
        return response


def target_change(kind: str, target_ids: tuple[int, ...] = (), time: int | None = None) -> Pb:
    """A ``TargetChange`` of a kind such as ``"CURRENT"``; with a time it is a snapshot that can be resumed from."""
    response = ListenResponse()
    change = response.target_change
    change.target_change_type = TargetChange.TargetChangeType.Value(kind)
    change.target_ids.extend(target_ids)
    if time is not None:
        put_time(change.read_time, time)
        change.resume_token = time.to_bytes(8, "big")
    return response


class Outbox:
    """A queue from the store's commits to one stream."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Told | Pb, int]] = deque()
        self._waiting_bytes = 0
        self._filled = asyncio.Event()
        self._failure: BaseException | None = None
        self._ended = False

    @property
    def failed(self) -> bool:
        """Whether the stream ends as soon as the client has read what is under way."""
        return self._failure is not None

    def put(self, item: Told | Pb) -> None:
        """Queue something that is not counted: it is small, or the client just asked for it."""
        self._enqueue(item, 0)

    def put_change(self, told: Told) -> None:
        """Queue a change; a client that leaves too many unread loses the stream."""
        self._enqueue(told, _OVERHEAD_BYTES + (told.document.size_bytes if told.document else 0))
        if self._waiting_bytes > _MAX_WAITING_BYTES:
            self.fail(resource_exhausted("The listener does not keep up; resume from the last resume_token."))

    def _enqueue(self, item: Told | Pb, cost: int) -> None:
        if self._failure is None:
            self._waiting.append((item, cost))
            self._waiting_bytes += cost
            self._filled.set()

    def reading_ended(self, reader: "asyncio.Task[None]") -> None:
        """Take over what ended the task that reads the client's requests."""
        if reader.cancelled():
            return
        failure = reader.exception()
        if failure is not None:
            self.fail(failure)
        self._ended = True
        self._filled.set()

    def fail(self, failure: BaseException) -> None:
        """End the stream with ``failure``; what was not sent is dropped."""
        self._failure = self._failure or failure
        self._waiting.clear()
        self._waiting_bytes = 0
        self._filled.set()

    async def responses(self, idle_seconds: float) -> AsyncGenerator[Pb | None, None]:
        """Everything queued until the client's requests end, and None whenever there was nothing for ``idle_seconds``.

        Raises what the stream failed with.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._waiting:
                yield self._next()
            elif self._ended:
                return
            elif not await self._filled_within(idle_seconds):
                yield None

    def _next(self) -> Pb:
        item, cost = self._waiting.popleft()
        self._waiting_bytes -= cost
        return item.encode() if isinstance(item, Told) else item

    async def _filled_within(self, seconds: float) -> bool:
        self._filled.clear()
        try:
            async with asyncio.timeout(seconds):
                return await self._filled.wait()
        except TimeoutError:
            return False
