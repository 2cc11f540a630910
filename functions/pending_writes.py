"""What the committer sends: the documents of messages on their way, each with the deliveries that wait for it.

An entry knows its own write and its own arithmetic; when it is sent, and how often, is the committer's business.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from functions.batch_queue import QueueEntry
from infra.errors import StoreError
from infra.firestore.message_writer import delivery_write, set_deliveries

_WRITE_OVERHEAD_BYTES = 64  # what is not known yet when a write is measured
_DOCUMENT_OVERHEAD_BYTES = 512  # a name and the small fields


class QueuedWrite(QueueEntry):
    """One write on its way. ``doubt`` is why it is not known to have happened."""

    __slots__ = ("doubt",)

    def __init__(self, key: str, size_bytes: int) -> None:
        super().__init__(key, size_bytes)
        self.doubt: StoreError | None = None

    def write(self) -> Any:
        """The protobuf to send."""
        raise NotImplementedError


class MessageWrite(QueuedWrite):
    """A message's own document, and the deliveries that wait for it."""

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
        """The create that makes the message visible, with the deliveries known when it was first sent."""
        # Built once: the same whenever it is tried again, so what it counted is known whichever attempt arrived.
        if not self._sent:
            self._sent = self._deliveries
            set_deliveries(self._write, self._sent, self._attempt)
        return self._write

    def take_uncounted(self, outcome: StoreError | None) -> tuple[int, int | None]:
        """The deliveries the document does not count yet, and the highest attempt; whoever asks first gets them."""
        # After a lost reply ALREADY_EXISTS most likely means our own write.
        counted = self._sent if outcome is None or self.doubt else 0
        uncounted, self._deliveries = self._deliveries - counted, counted
        return uncounted, self._attempt


class MessageWithChunks(MessageWrite):
    """A message's own document and all its chunks, for one atomic request. The chunks are made when they are sent."""

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
        """The protobufs to send, all in one request."""
        yield from self._make_chunks()
        yield self.write()


class ChunkWrite(QueuedWrite):
    """A part of a large payload. The protobuf is made when it is sent: ten megabytes are held once, not twice."""

    __slots__ = ("_make",)

    def __init__(self, key: str, size_bytes: int, make: Callable[[], Any]) -> None:
        super().__init__(key, size_bytes + _DOCUMENT_OVERHEAD_BYTES)
        self._make = make

    def write(self) -> Any:
        """The plain set of this part."""
        return self._make()


class DeliveryCount(QueuedWrite):
    """Deliveries of a stored message that wait to be counted."""

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
        """The increment; it adds whenever it is sent."""
        return delivery_write(self._root, self.key, self.deliveries, self.attempt)
