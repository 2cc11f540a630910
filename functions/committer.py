"""Group commit: concurrent requests share one Firestore BatchWrite, and each gets the outcome of its own message.

Owns what may share a request, what is tried again, and when a message counts as stored: never before Firestore said so.
Knows nothing of HTTP or of Google's client: a ``Writer`` makes single attempts.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from functions.entries import Chunk, Head, Redelivery, WriteEntry
from functions.lane import Entry, Lane
from infra.errors import DocumentExistsError, StoreError, StoreInvalidError, StoreUnavailableError
from infra.firestore.writes import chunk_count, chunk_write, head_write
from infra.message import CHUNK_BYTES, INLINE_BYTES, Pushed

MAX_WRITES = 400  # the service takes 500 in a BatchWrite
MAX_REQUEST_BYTES = 3 * 1024 * 1024 + 768 * 1024  # Google's emulator refuses 4 MiB, the service 10
MAX_LOOKUPS = 100
ATTEMPT_SECONDS = 5.0
CALL_SECONDS = 7.0
COUNT_SECONDS = 2.0
# Jittered, so that many instances do not come back at once; then Pub/Sub tries again, later than we could.
PAUSES_SECONDS = (0.1, 0.4)


class Writer(Protocol):
    """Firestore, as far as the committer needs it. Each call is one attempt."""

    root: str

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        """Each write's own outcome. Raises StoreError when the request as a whole failed."""

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        """Which of these messages are stored already. Raises StoreError."""


class Committer:
    """Stores messages. One event loop's."""

    def __init__(self, writer: Writer, *, shards: int, retention: timedelta, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._shards = shards
        self._retention = retention
        self._now = now
        self._heads = Lane[Head](self._send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES)
        self._redeliveries = Lane[Redelivery](self._send_once, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES)
        # Large messages have lanes of their own, so that small ones never wait for megabytes.
        self._chunks = Lane[Chunk](self._send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, max_calls=2)
        self._lookups = Lane[Entry](self._look, max_entries=MAX_LOOKUPS, max_bytes=MAX_REQUEST_BYTES)

    async def save(self, pushed: Pushed) -> None:
        """Return when ``pushed`` is durable: stored now, or already.

        Raises StoreError when it is not, or when that is not known; the same message may then be saved again.
        """
        if len(pushed.data) <= INLINE_BYTES:
            await self._save_head(pushed, chunks=0)
        elif pushed.delivery_attempt != 1 and await self._is_stored(pushed.id):
            # A first attempt needs no look: were it stored all the same, its chunks would only be set again.
            await self._count(pushed.id, 1, pushed.delivery_attempt)
        else:
            # A head is visible: it joins a batch only when everything it speaks of is durable.
            await self._save_chunks(pushed)
            await self._save_head(pushed, chunks=chunk_count(len(pushed.data)))

    async def _save_head(self, pushed: Pushed, chunks: int) -> None:
        document_id = pushed.id
        head = self._heads.find(document_id)
        if head:
            head.join(pushed.delivery_attempt)
        else:
            write = head_write(
                self._writer.root, pushed, chunks=chunks, shards=self._shards, expire_at=self._now() + self._retention
            )
            head = self._heads.add(Head(document_id, write, pushed.delivery_attempt))
        outcome = await head.wait()
        if outcome is not None and not isinstance(outcome, DocumentExistsError):
            raise outcome
        uncounted, attempt = head.take_uncounted(outcome)
        if uncounted:
            await self._count(document_id, uncounted, attempt)

    async def _save_chunks(self, pushed: Pushed) -> None:
        expire_at = self._now() + self._retention
        entries = [self._chunk(pushed, index, expire_at) for index in range(chunk_count(len(pushed.data)))]
        for entry in entries:
            if outcome := await entry.wait():
                raise outcome

    def _chunk(self, pushed: Pushed, index: int, expire_at: datetime) -> Chunk:
        key = f"{pushed.id}/{index}"
        size = min(CHUNK_BYTES, len(pushed.data) - index * CHUNK_BYTES)
        return self._chunks.find(key) or self._chunks.add(
            Chunk(key, size, lambda: chunk_write(self._writer.root, pushed.id, index, pushed.data, expire_at))
        )

    async def _is_stored(self, document_id: str) -> bool:
        entry = self._lookups.find(document_id) or self._lookups.add(Entry(document_id))
        outcome = await entry.wait()
        if outcome is not None and not isinstance(outcome, DocumentExistsError):
            raise outcome
        return outcome is not None

    async def _count(self, document_id: str, deliveries: int, attempt: int | None) -> None:
        """Add to a stored message's deliveries, best effort: it is stored, whatever becomes of its statistics."""
        entry = self._redeliveries.queued(document_id)
        if entry:
            entry.join(deliveries, attempt)
        else:
            entry = Redelivery(self._writer.root, document_id)
            entry.join(deliveries, attempt)
            self._redeliveries.add(entry)
        await entry.wait()

    async def _send(self, entries: Sequence[WriteEntry]) -> None:
        """Write ``entries``, and again those that may succeed later; idempotent writes only."""
        deadline = _loop_time() + CALL_SECONDS
        for pause in (*PAUSES_SECONDS, None):
            entries = await self._attempt(entries, deadline)
            if not entries or pause is None or _loop_time() + pause > deadline:
                break
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # not a secret
        for entry in entries:
            entry.resolve(entry.doubt)

    async def _send_once(self, entries: Sequence[WriteEntry]) -> None:
        for entry in await self._attempt(entries, _loop_time() + COUNT_SECONDS):
            entry.resolve(entry.doubt)

    async def _attempt(self, entries: Sequence[WriteEntry], deadline: float) -> Sequence[WriteEntry]:
        """One request. Resolve what is settled and return what may succeed later, each with its doubt."""
        seconds = min(ATTEMPT_SECONDS, deadline - _loop_time())
        try:
            if seconds <= 0:
                raise StoreUnavailableError("Firestore did not answer within the time for one call.")
            outcomes = await self._writer.batch_write([entry.write() for entry in entries], seconds)
        except StoreInvalidError as exc:
            return await self._halve(entries, exc, deadline)
        except StoreError as exc:
            outcomes = [exc] * len(entries)
        again = []
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, StoreUnavailableError):
                entry.doubt = outcome
                again.append(entry)
            else:
                entry.resolve(outcome)
        return again

    async def _halve(
        self, entries: Sequence[WriteEntry], refusal: StoreInvalidError, deadline: float
    ) -> Sequence[WriteEntry]:
        """Firestore refuses a whole request for one bad write: find it, and let the others through."""
        if len(entries) == 1:
            entries[0].resolve(refusal)
            return []
        middle = len(entries) // 2
        return [
            *await self._attempt(entries[:middle], deadline),
            *await self._attempt(entries[middle:], deadline),
        ]

    async def _look(self, entries: Sequence[Entry]) -> None:
        try:
            found = await self._writer.stored([entry.key for entry in entries], ATTEMPT_SECONDS)
        except StoreError as exc:
            for entry in entries:
                entry.resolve(exc)
            return
        for entry in entries:
            entry.resolve(DocumentExistsError("stored already") if entry.key in found else None)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
