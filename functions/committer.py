"""Group commit: concurrent requests share one Firestore call, and each gets the outcome of its own message.

Owns what may share a call, and when a message counts as stored: never before Firestore said so. A small message is one
write of a BatchWrite. A larger one and its chunks are part of a Commit, all or nothing; what no request can hold is
written chunk by chunk, its head last. Knows nothing of HTTP, nor how calls fail: a ``BatchSender`` makes them.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from functions.batch_queue import BatchQueue, QueueEntry, first_error, without_traceback
from functions.batch_sender import COUNT_SECONDS, BatchSender, Writer
from functions.pending_writes import ChunkWrite, DeliveryCount, MessageWithChunks, MessageWrite
from infra.errors import DocumentExistsError
from infra.firestore.message_writer import chunk_count, chunk_write, head_write
from infra.messages.message import CHUNK_BYTES, INLINE_BYTES, Pushed

MAX_WRITES = 400  # the service takes 500 in a BatchWrite
MAX_REQUEST_BYTES = 3 * 1024 * 1024 + 768 * 1024  # Google's emulator refuses 4 MiB, the service 10
# A head takes less than 256 KiB: 100 attributes of 256 + 1024 bytes, escaped, are most of it.
MAX_WHOLE_BYTES = MAX_REQUEST_BYTES - 256 * 1024
MAX_WHOLES = 32
MAX_LOOKUPS = 100
SPARE_CALLS = 3  # while Firestore does not answer one call in time


class Committer:
    """Stores messages. One event loop's."""

    def __init__(self, writer: Writer, *, shards: int, retention: timedelta, now: Callable[[], datetime]) -> None:
        self._root = writer.root
        self._shards = shards
        self._retention = retention
        self._now = now
        sender = BatchSender(writer)
        self._heads = BatchQueue[MessageWrite](
            sender.send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )
        self._redeliveries = BatchQueue[DeliveryCount](
            sender.send_once, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )
        # Large messages have lanes of their own, so that small ones never wait for megabytes.
        self._wholes = BatchQueue[MessageWithChunks](
            sender.send_together, max_entries=MAX_WHOLES, max_bytes=MAX_REQUEST_BYTES, max_calls=2, spare_calls=2
        )
        self._chunks = BatchQueue[ChunkWrite](
            sender.send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, max_calls=2
        )
        self._lookups = BatchQueue[QueueEntry](
            sender.look, max_entries=MAX_LOOKUPS, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )

    async def save(self, pushed: Pushed) -> None:
        """Return when ``pushed`` is durable: stored now, or already.

        Raises StoreError when it is not, or when that is not known; the same message may then be saved again.
        """
        if len(pushed.data) <= INLINE_BYTES:
            await self._save_head(pushed, chunks=0)
        elif len(pushed.data) <= MAX_WHOLE_BYTES:
            await self._save_whole(pushed)
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
            write = self._head_write(pushed, chunks, self._now() + self._retention)
            head = self._heads.add(MessageWrite(document_id, write, pushed.delivery_attempt))
        await self._settle(head)

    async def _save_whole(self, pushed: Pushed) -> None:
        document_id = pushed.id
        whole = self._wholes.find(document_id)
        if whole:
            whole.join(pushed.delivery_attempt)
        else:
            whole = self._wholes.add(self._whole(document_id, pushed))
        await self._settle(whole)

    def _whole(self, document_id: str, pushed: Pushed) -> MessageWithChunks:
        data, expire_at, count = pushed.data, self._now() + self._retention, chunk_count(len(pushed.data))
        return MessageWithChunks(
            document_id,
            self._head_write(pushed, count, expire_at),
            pushed.delivery_attempt,
            payload_bytes=len(data),
            chunks=count,
            make_chunks=lambda: (
                chunk_write(self._root, document_id, index, data, expire_at) for index in range(count)
            ),
        )

    def _head_write(self, pushed: Pushed, chunks: int, expire_at: datetime) -> Any:
        return head_write(self._root, pushed, chunks=chunks, shards=self._shards, expire_at=expire_at)

    async def _settle(self, head: MessageWrite) -> None:
        """Wait for ``head``, and see to it that the deliveries which it came too late to count are counted."""
        outcome = await head.wait()
        if outcome is not None and not isinstance(outcome, DocumentExistsError):
            raise without_traceback(outcome)
        uncounted, attempt = head.take_uncounted(outcome)
        if uncounted:
            await self._count(head.key, uncounted, attempt)

    async def _save_chunks(self, pushed: Pushed) -> None:
        expire_at = self._now() + self._retention
        entries = [self._chunk(pushed, index, expire_at) for index in range(chunk_count(len(pushed.data)))]
        # Deliveries of the same message share them: one that gives up takes none away from the others.
        with self._chunks.hold(entries):
            if outcome := await first_error(entries):
                raise without_traceback(outcome)

    def _chunk(self, pushed: Pushed, index: int, expire_at: datetime) -> ChunkWrite:
        key = f"{pushed.id}/{index}"
        size = min(CHUNK_BYTES, len(pushed.data) - index * CHUNK_BYTES)
        return self._chunks.find(key) or self._chunks.add(
            ChunkWrite(key, size, lambda: chunk_write(self._root, pushed.id, index, pushed.data, expire_at))
        )

    async def _is_stored(self, document_id: str) -> bool:
        entry = self._lookups.find(document_id) or self._lookups.add(QueueEntry(document_id))
        outcome = await entry.wait()
        if outcome is not None and not isinstance(outcome, DocumentExistsError):
            raise without_traceback(outcome)
        return outcome is not None

    async def _count(self, document_id: str, deliveries: int, attempt: int | None) -> None:
        """Add to a stored message's deliveries, best effort: it is stored, whatever becomes of its statistics."""
        entry = self._redeliveries.queued(document_id)
        if entry:
            entry.join(deliveries, attempt)
        else:
            entry = DeliveryCount(self._root, document_id)
            entry.join(deliveries, attempt)
            self._redeliveries.add(entry)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * COUNT_SECONDS):
                await entry.wait()
