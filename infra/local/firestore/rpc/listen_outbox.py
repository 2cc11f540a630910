"""The unsent messages of a Listen stream, bounded in size, so that a client that does not read costs no memory.

The queue holds references to stored documents and encodes each one when it is sent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple

from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import resource_exhausted
from infra.local.firestore.protos import ListenResponse, Pb, TargetChange
from infra.local.firestore.storage.clock import put_time

# About 16,000 small changes, or 64 documents of the largest size. The overhead covers the queue entry and the snapshot
# that follows it.
_MAX_WAITING_BYTES = 64 * 1024 * 1024
_OVERHEAD_BYTES = 4096


class DocumentMessage(NamedTuple):
    """One document for the client: added to ``target_ids``, removed from ``removed_target_ids``; None when deleted."""

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
    """Return a ``TargetChange`` of a kind such as ``"CURRENT"``; with a time it is a snapshot to resume from."""
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
        self._waiting: deque[tuple[DocumentMessage | Pb, int]] = deque()
        self._waiting_bytes = 0
        self._filled = asyncio.Event()
        self._failure: BaseException | None = None
        self._ended = False

    @property
    def failed(self) -> bool:
        """Tell whether the stream ends as soon as the client has read the message that is being sent."""
        return self._failure is not None

    def put(self, item: DocumentMessage | Pb) -> None:
        """Queue a message without counting its size: it is small, or the client has just requested it."""
        self._enqueue(item, 0)

    def put_change(self, told: DocumentMessage) -> None:
        """Queue a change; the stream fails when the client leaves too many unread."""
        self._enqueue(told, _OVERHEAD_BYTES + (told.document.size_bytes if told.document else 0))
        if self._waiting_bytes > _MAX_WAITING_BYTES:
            self.fail(resource_exhausted("The listener does not keep up; resume from the last resume_token."))

    def _enqueue(self, item: DocumentMessage | Pb, cost: int) -> None:
        if self._failure is None:
            self._waiting.append((item, cost))
            self._waiting_bytes += cost
            self._filled.set()

    def reading_ended(self, reader: "asyncio.Task[None]") -> None:
        """Take over the result of the task that read the client's requests."""
        if reader.cancelled():
            return
        failure = reader.exception()
        if failure is not None:
            self.fail(failure)
        self._ended = True
        self._filled.set()

    def fail(self, failure: BaseException) -> None:
        """End the stream with ``failure``; drop the unsent messages."""
        self._failure = self._failure or failure
        self._waiting.clear()
        self._waiting_bytes = 0
        self._filled.set()

    async def responses(self, idle_seconds: float) -> AsyncGenerator[Pb | None, None]:
        """Yield the queued messages until the client's requests end, and None after ``idle_seconds`` without a message.

        Raises the failure of the stream.
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
        return item.encode() if isinstance(item, DocumentMessage) else item

    async def _filled_within(self, seconds: float) -> bool:
        self._filled.clear()
        try:
            async with asyncio.timeout(seconds):
                return await self._filled.wait()
        except TimeoutError:
            return False
