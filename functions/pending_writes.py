"""The queue entries of the committer: a message's document, its chunks, and counts of further deliveries.

An entry builds its write and counts the deliveries that wait for it. The committer and its queues decide when it is
sent, and how often.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from functions.batch_queue import QueueEntry
from infra.errors import StoreError
from infra.firestore.message_writer import delivery_write, set_deliveries

_WRITE_OVERHEAD_BYTES = 64  # for the fields that are set after a write is measured
_DOCUMENT_OVERHEAD_BYTES = 512  # a name and the small fields


class QueuedWrite(QueueEntry):
    """One write in the queue or in flight. ``doubt`` is the last error that left its outcome unknown."""

    __slots__ = ("doubt",)

    def __init__(self, key: str, size_bytes: int) -> None:
        super().__init__(key, size_bytes)
        self.doubt: StoreError | None = None

    def write(self) -> Any:
        """Return the protobuf to send."""
        raise NotImplementedError


class MessageWrite(QueuedWrite):
    """The write of a message's document, shared by all deliveries that wait for it."""

    __slots__ = ("_attempt", "_deliveries", "_sent", "_write")

    def __init__(self, document_id: str, write: Any, attempt: int | None) -> None:
        super().__init__(document_id, write.ByteSize() + _WRITE_OVERHEAD_BYTES)
        self._write = write
        self._attempt = attempt
        self._deliveries = 1
        self._sent = 0

    def join(self, attempt: int | None) -> None:
        """Let one more delivery of the same message wait for this entry."""
        self._deliveries += 1
        self._attempt = max(self._attempt or 0, attempt or 0) or None

    def write(self) -> Any:
        """Return the create that makes the message visible, with the number of deliveries at its first attempt."""
        # Build it once: every retry sends the same write, so we know which deliveries it counted.
        if not self._sent:
            self._sent = self._deliveries
            set_deliveries(self._write, self._sent, self._attempt)
        return self._write

    def take_uncounted(self, outcome: StoreError | None) -> tuple[int, int | None]:
        """Return the deliveries that the document does not count, and the highest attempt; a second call returns 0."""
        # After a lost reply, ALREADY_EXISTS most likely means our own write.
        counted = self._sent if outcome is None or self.doubt else 0
        uncounted, self._deliveries = self._deliveries - counted, counted
        return uncounted, self._attempt


class MessageWithChunks(MessageWrite):
    """The writes of a message's document and all its chunks, for one Commit. Chunks are built when they are sent."""

    __slots__ = ("_make_chunks",)

    def __init__(
        self,
        document_id: str,
        write: Any,
        attempt: int | None,
        *,
        payload_bytes: int,
        chunks: int,
        make_chunks: Callable[[], Iterable[Any]],
    ) -> None:
        super().__init__(document_id, write, attempt)
        self.size_bytes += payload_bytes + chunks * _DOCUMENT_OVERHEAD_BYTES
        self._make_chunks = make_chunks

    def writes(self) -> Iterator[Any]:
        """Generate the protobufs to send, all in one request."""
        yield from self._make_chunks()
        yield self.write()


class ChunkWrite(QueuedWrite):
    """The write of one chunk of a large payload, built when it is sent, so that ten megabytes are held once."""

    __slots__ = ("_make",)

    def __init__(self, key: str, size_bytes: int, make: Callable[[], Any]) -> None:
        super().__init__(key, size_bytes + _DOCUMENT_OVERHEAD_BYTES)
        self._make = make

    def write(self) -> Any:
        """Return the unconditional set of this chunk."""
        return self._make()


class DeliveryCount(QueuedWrite):
    """The write that adds deliveries to a stored message."""

    __slots__ = ("_root", "attempt", "deliveries")

    def __init__(self, root: str, document_id: str) -> None:
        super().__init__(document_id, _DOCUMENT_OVERHEAD_BYTES)
        self._root = root
        self.deliveries = 0
        self.attempt: int | None = None

    def join(self, deliveries: int, attempt: int | None) -> None:
        """Count ``deliveries`` more, and the highest attempt."""
        self.deliveries += deliveries
        self.attempt = max(self.attempt or 0, attempt or 0) or None

    def write(self) -> Any:
        """Return the increment. Each time it is sent, it adds again."""
        return delivery_write(self._root, self.key, self.deliveries, self.attempt)
