"""Group commit: concurrent requests share one Firestore call, and each gets the outcome for its message.

Decides which messages share a call. A message counts as stored only when Firestore has confirmed it. A small message is
one write of a BatchWrite. A larger one is written with its chunks in one Commit, all or nothing. One that is too large
for a request is written chunk by chunk, and its own document last. Knows nothing of HTTP or of retries: a
``BatchSender`` makes the calls.
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
from infra.firestore.message_writer import chunk_write, message_write
from infra.messages.chunks import CHUNK_BYTES, INLINE_BYTES, chunk_count
from infra.messages.message import Pushed

MAX_WRITES = 400  # the service takes 500 in a BatchWrite
MAX_REQUEST_BYTES = 3 * 1024 * 1024 + 768 * 1024  # Google's emulator refuses 4 MiB, the service 10
# A message document without its payload takes less than 256 KiB: mostly 100 attributes of 256 + 1024 bytes, escaped.
MAX_COMMIT_PAYLOAD_BYTES = MAX_REQUEST_BYTES - 256 * 1024
MAX_COMMIT_MESSAGES = 32
MAX_LOOKUPS = 100
SPARE_CALLS = 3  # while Firestore is slow to answer a call


class GroupCommit:
    """Stores messages, on one event loop."""

    def __init__(self, writer: Writer, *, shards: int, retention: timedelta, now: Callable[[], datetime]) -> None:
        self._root = writer.root
        self._shards = shards
        self._retention = retention
        self._now = now
        sender = BatchSender(writer)
        self._messages = BatchQueue[MessageWrite](
            sender.send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )
        self._redeliveries = BatchQueue[DeliveryCount](
            sender.send_once, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )
        # Large messages have separate queues, so that small ones never wait for megabytes.
        self._messages_with_chunks = BatchQueue[MessageWithChunks](
            sender.send_together,
            max_entries=MAX_COMMIT_MESSAGES,
            max_bytes=MAX_REQUEST_BYTES,
            max_calls=2,
            spare_calls=2,
        )
        self._chunks = BatchQueue[ChunkWrite](
            sender.send, max_entries=MAX_WRITES, max_bytes=MAX_REQUEST_BYTES, max_calls=2
        )
        self._lookups = BatchQueue[QueueEntry](
            sender.look_up, max_entries=MAX_LOOKUPS, max_bytes=MAX_REQUEST_BYTES, spare_calls=SPARE_CALLS
        )

    async def save(self, pushed: Pushed) -> None:
        """Store ``pushed``; return when it is durable, by this call or an earlier one.

        Raises StoreError if it is not durable or if that is unknown; the same message may then be saved again.
        """
        if len(pushed.data) <= INLINE_BYTES:
            await self._save_message(pushed, chunks=0)
        elif len(pushed.data) <= MAX_COMMIT_PAYLOAD_BYTES:
            await self._save_with_chunks(pushed)
        elif pushed.delivery_attempt != 1 and await self._is_stored(pushed.id):
            # A first attempt needs no lookup: if the message is stored nevertheless, its chunks are only set again.
            await self._count(pushed.id, 1, pushed.delivery_attempt)
        else:
            # The message document makes the message visible, so it is queued only when all chunks are durable.
            await self._save_chunks(pushed)
            await self._save_message(pushed, chunks=chunk_count(len(pushed.data)))

    async def _save_message(self, pushed: Pushed, chunks: int) -> None:
        document_id = pushed.id
        message = self._messages.find(document_id)
        if message:
            message.join(pushed.delivery_attempt)
        else:
            write = self._message_write(pushed, chunks, self._now() + self._retention)
            message = self._messages.add(MessageWrite(document_id, write, pushed.delivery_attempt))
        await self._settle(message)

    async def _save_with_chunks(self, pushed: Pushed) -> None:
        document_id = pushed.id
        message = self._messages_with_chunks.find(document_id)
        if message:
            message.join(pushed.delivery_attempt)
        else:
            message = self._messages_with_chunks.add(self._with_chunks(document_id, pushed))
        await self._settle(message)

    def _with_chunks(self, document_id: str, pushed: Pushed) -> MessageWithChunks:
        data, expire_at, count = pushed.data, self._now() + self._retention, chunk_count(len(pushed.data))
        return MessageWithChunks(
            document_id,
            self._message_write(pushed, count, expire_at),
            pushed.delivery_attempt,
            payload_bytes=len(data),
            chunks=count,
            make_chunks=lambda: (
                chunk_write(self._root, document_id, index, data, expire_at) for index in range(count)
            ),
        )

    def _message_write(self, pushed: Pushed, chunks: int, expire_at: datetime) -> Any:
        return message_write(self._root, pushed, chunks=chunks, shards=self._shards, expire_at=expire_at)

    async def _settle(self, message: MessageWrite) -> None:
        """Wait for the write; count separately the deliveries that joined too late to be counted in it."""
        outcome = await message.wait()
        if outcome is not None and not isinstance(outcome, DocumentExistsError):
            raise without_traceback(outcome)
        uncounted, attempt = message.take_uncounted(outcome)
        if uncounted:
            await self._count(message.key, uncounted, attempt)

    async def _save_chunks(self, pushed: Pushed) -> None:
        expire_at = self._now() + self._retention
        entries = [self._chunk(pushed, index, expire_at) for index in range(chunk_count(len(pushed.data)))]
        # Concurrent deliveries of one message share the chunks: one that gives up removes none that others need.
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
        """Add to a stored message's deliveries, best effort: the message is durable, only its count may be low."""
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
