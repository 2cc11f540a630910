"""Builds the Firestore writes of messages, and sends them.

The builders are pure. Each call is one attempt with a timeout; the caller knows the time budget and retries.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud.firestore_v1 import types

from infra.errors import DocumentExistsError, StoreError, StoreUnavailableError
from infra.firestore.async_calls import AsyncCalls, Rpc
from infra.firestore.client import Database
from infra.firestore.encoding import Plain, encode_fields
from infra.firestore.error_mapping import firestore_errors, store_error
from infra.messages import severity, trace
from infra.messages.chunks import CHUNK_BYTES
from infra.messages.field_names import escape_name
from infra.messages.message import Pushed, index_tokens, read_content, shard_of

# google.firestore.v1.Write as a raw protobuf: the client's wrappers cost ten times as much.
Write: Any = types.Write.pb()
_BatchWriteRequest: Any = types.BatchWriteRequest.pb()
_CommitRequest: Any = types.CommitRequest.pb()
_BatchGetDocumentsRequest: Any = types.BatchGetDocumentsRequest.pb()
# Firestore deletes expired documents in any order, mostly within a day. Chunks expire a day after their message, so
# that a message that still exists has all its chunks.
# Source: firebase.google.com/docs/firestore/ttl
CHUNKS_OUTLIVE = timedelta(days=1)
_SERVICE = "/google.firestore.v1.Firestore"
# The tag of field 2 (``writes``, length-delimited) of both requests.
_WRITES_TAG = b"\x12"
_REQUEST_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME


def _serialize(request: Any) -> bytes:
    encoded: bytes = request.SerializeToString()
    return encoded


# Requests are bytes already: gRPC keeps the request until the call ends, and must not hold a payload twice.
_BATCH_WRITE = Rpc(f"{_SERVICE}/BatchWrite", None, types.BatchWriteResponse.pb().FromString)
_COMMIT = Rpc(f"{_SERVICE}/Commit", None, types.CommitResponse.pb().FromString)
_BATCH_GET = Rpc(f"{_SERVICE}/BatchGetDocuments", _serialize, types.BatchGetDocumentsResponse.pb().FromString)


def message_write(root: str, pushed: Pushed, *, chunks: int, shards: int, expire_at: datetime) -> Any:
    """Build the create of the message document, which makes ``pushed`` visible; later ones fail (ALREADY_EXISTS).

    ``root`` is ``Database.root``. ``chunks`` is the number of documents that hold the payload, 0 if this one does.
    ``set_deliveries`` adds ``deliveries`` when the write is sent.
    """
    write, document_id = Write(), pushed.id
    write.update.name = f"{root}/messages/{document_id}"
    encode_fields(write.update.fields, _message_fields(pushed, chunks))
    encode_fields(
        write.update.fields, (("shard", shard_of(document_id, shards)), ("expire_at", expire_at), ("chunks", chunks))
    )
    write.current_document.exists = False
    _set_to_request_time(write, "received_at", "last_delivered_at")
    return write


def _message_fields(pushed: Pushed, chunks: int) -> Iterable[tuple[str, Plain]]:
    content = read_content(pushed.data)
    level = severity.severity_in(pushed.attributes, content.scalars, pushed.data)
    derived = (*severity.token_of(level), *trace.token_of(trace.trace_in(pushed.attributes)))
    yield "subscription", pushed.subscription_id
    yield "message_id", pushed.message_id
    yield "ordering_key", pushed.ordering_key
    yield "publish_time", pushed.publish_time
    yield "attributes", {escape_name(name): value for name, value in pushed.attributes.items()}
    yield "tokens", index_tokens(pushed.attributes, content.scalars, derived)
    if level:
        yield "severity", level
    yield "kind", content.kind
    yield "preview", content.preview
    if not chunks:
        yield "data", pushed.data
    yield "size_bytes", len(pushed.data)
    yield "sha256", hashlib.sha256(pushed.data).hexdigest()


def set_deliveries(write: Any, deliveries: int, attempt: int | None) -> None:
    """Set the number of deliveries of a new message, and Pub/Sub's delivery attempt if there is one."""
    encode_fields(write.update.fields, [("deliveries", deliveries)])
    if attempt is not None:
        encode_fields(write.update.fields, [("delivery_attempt", attempt)])


def _set_to_request_time(write: Any, *names: str) -> None:
    for name in names:
        transform = write.update_transforms.add()
        transform.field_path = name
        transform.set_to_server_value = _REQUEST_TIME


def chunk_write(root: str, document_id: str, index: int, data: bytes, expire_at: datetime) -> Any:
    """Build the unconditional, idempotent set of one chunk of the whole payload ``data``.

    ``expire_at`` is that of its message.
    """
    write = Write()
    write.update.name = f"{root}/messages/{document_id}/chunks/{index:04d}"
    part = data[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
    encode_fields(write.update.fields, (("data", part), ("expire_at", expire_at + CHUNKS_OUTLIVE)))
    return write


def delivery_write(root: str, document_id: str, deliveries: int, attempt: int | None) -> Any:
    """Build the increment of a stored message's deliveries; it fails with NOT_FOUND if the message is deleted."""
    write = Write()
    write.update.name = f"{root}/messages/{document_id}"
    write.update_mask.SetInParent()
    if attempt is not None:
        encode_fields(write.update.fields, [("delivery_attempt", attempt)])
        write.update_mask.field_paths.append("delivery_attempt")
    transform = write.update_transforms.add()
    transform.field_path = "deliveries"
    transform.increment.integer_value = deliveries
    _set_to_request_time(write, "last_delivered_at")
    write.current_document.exists = True
    return write


def rejection_write(root: str, document_id: str, fields: Iterable[tuple[str, Plain]]) -> Any:
    """Build the record of one refused push; ``at`` is Firestore's time."""
    write = Write()
    write.update.name = f"{root}/rejections/{document_id}"
    encode_fields(write.update.fields, fields)
    _set_to_request_time(write, "at")
    return write


def with_writes(request: Any, writes: Iterable[Any]) -> bytes:
    """Serialize a request (BatchWrite or Commit) and append each serialized write: 25 µs of CPU for 100 KB.

    Adding the writes to the request object would copy each twice more, into growing buffers: 240 µs.
    """
    parts = [_serialize(request)]
    for write in writes:
        encoded = _serialize(write)
        parts += (_WRITES_TAG + _varint(len(encoded)), encoded)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """Encode a length as a varint (protobuf.dev/programming-guides/encoding/#varints)."""
    low = bytearray()
    while number > 0x7F:
        low.append(number & 0x7F | 0x80)
        number >>= 7
    low.append(number)
    return bytes(low)


class MessageWriter:
    """Sends writes, on one event loop. Each call is a single attempt."""

    def __init__(self, database: Database) -> None:
        self._name = database.name
        self.root = database.root
        self._calls = AsyncCalls(database)

    async def close(self) -> None:
        """Close the connection; calls in flight fail."""
        await self._calls.close()

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        """Send ``writes`` in one BatchWrite; return the outcome of each, None if it is durable.

        If the reply lacks an outcome, it is StoreUnavailableError: the write may have happened. Raises StoreError if
        the request as a whole failed.
        """
        request = with_writes(_BatchWriteRequest(database=self._name), writes)
        with _outcome_unknown(), firestore_errors("storing messages"):
            reply = await self._calls.unary(_BATCH_WRITE, request, timeout_seconds)
        outcomes = [_outcome(status) for status in reply.status[: len(writes)]]
        return outcomes + [StoreUnavailableError("Firestore's reply is short.")] * (len(writes) - len(outcomes))

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        """Send ``writes`` in one Commit: all are durable when it returns.

        Raises StoreError: after StoreUnavailableError all or none are stored, after any other none is.
        """
        request = with_writes(_CommitRequest(database=self._name), writes)
        with firestore_errors("storing messages"):
            await self._calls.unary(_COMMIT, request, timeout_seconds)

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        """Return the ids of those messages that are stored already. Raises StoreError."""
        request = _BatchGetDocumentsRequest(database=self._name)
        request.documents.extend(f"{self.root}/messages/{document_id}" for document_id in document_ids)
        request.mask.field_paths.append("chunks")
        with _outcome_unknown(), firestore_errors("looking for stored messages"):
            replies = await self._calls.stream(_BATCH_GET, request, timeout_seconds)
            names = [reply.found.name for reply in replies]
        return {name.rpartition("/")[2] for name in names if name}


@contextlib.contextmanager
def _outcome_unknown() -> Iterator[None]:
    """Treat ALREADY_EXISTS of a whole request as unknown: it is a status of single writes only."""
    try:
        yield
    except DocumentExistsError as exc:
        raise StoreUnavailableError(f"{exc} (for the whole request, so the outcome is unknown)") from exc


def _outcome(status: Any) -> StoreError | None:
    if not status.code:
        return None
    return store_error(exceptions.from_grpc_status(status.code, status.message), "storing a message")  # type: ignore[no-untyped-call]
