"""The writes of messages: how a message becomes Firestore writes, and the calls that carry them.

Builders are pure. Each call is one attempt with its own timeout: retrying belongs to the caller, who knows the budget.
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
from infra.messages.message import CHUNK_BYTES, Pushed, escape_name, index_tokens, read_content, shard_of

# google.firestore.v1.Write as a raw protobuf: the client's wrappers cost ten times as much.
Write: Any = types.Write.pb()
_BatchWriteRequest: Any = types.BatchWriteRequest.pb()
_CommitRequest: Any = types.CommitRequest.pb()
_BatchGetDocumentsRequest: Any = types.BatchGetDocumentsRequest.pb()
# Firestore deletes what expired in any order, mostly within a day: a message that is still there has all its chunks.
# Source: firebase.google.com/docs/firestore/ttl
CHUNKS_OUTLIVE = timedelta(days=1)
_SERVICE = "/google.firestore.v1.Firestore"
# Field 2 of both requests, with a length before it.
_WRITES_TAG = b"\x12"
_REQUEST_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME


def _serialize(request: Any) -> bytes:
    encoded: bytes = request.SerializeToString()
    return encoded


# Takes bytes: gRPC keeps what it is given until the call ends, and a payload need not be held twice for that.
_BATCH_WRITE = Rpc(f"{_SERVICE}/BatchWrite", None, types.BatchWriteResponse.pb().FromString)
_COMMIT = Rpc(f"{_SERVICE}/Commit", None, types.CommitResponse.pb().FromString)
_BATCH_GET = Rpc(f"{_SERVICE}/BatchGetDocuments", _serialize, types.BatchGetDocumentsResponse.pb().FromString)


def message_write(root: str, pushed: Pushed, *, chunks: int, shards: int, expire_at: datetime) -> Any:
    """The write that makes ``pushed`` visible, once: it fails with ALREADY_EXISTS ever after.

    ``root`` is the documents' (``Database.root``). ``chunks`` is how many documents hold the payload, 0 when this one
    does. ``deliveries`` is left to ``set_deliveries``: it is known when the write is sent.
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
    yield "subscription", pushed.subscription_id
    yield "message_id", pushed.message_id
    yield "ordering_key", pushed.ordering_key
    yield "publish_time", pushed.publish_time
    yield "attributes", {escape_name(name): value for name, value in pushed.attributes.items()}
    yield "tokens", list(index_tokens(pushed.attributes, content.scalars))
    yield "kind", content.kind
    yield "preview", content.preview
    if not chunks:
        yield "data", pushed.data
    yield "size_bytes", len(pushed.data)
    yield "sha256", hashlib.sha256(pushed.data).hexdigest()


def set_deliveries(write: Any, deliveries: int, attempt: int | None) -> None:
    """Write how often a new message was delivered, and Pub/Sub's own count when it sent one."""
    encode_fields(write.update.fields, [("deliveries", deliveries)])
    if attempt is not None:
        encode_fields(write.update.fields, [("delivery_attempt", attempt)])


def _set_to_request_time(write: Any, *names: str) -> None:
    for name in names:
        transform = write.update_transforms.add()
        transform.field_path = name
        transform.set_to_server_value = _REQUEST_TIME


def chunk_count(size_bytes: int) -> int:
    """How many chunks hold a payload of ``size_bytes``."""
    return -(-size_bytes // CHUNK_BYTES)


def chunk_write(root: str, document_id: str, index: int, data: bytes, expire_at: datetime) -> Any:
    """The plain set of one chunk of the whole payload ``data``: the same however often it is written.

    ``expire_at`` is its message's.
    """
    write = Write()
    write.update.name = f"{root}/messages/{document_id}/chunks/{index:04d}"
    part = data[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
    encode_fields(write.update.fields, (("data", part), ("expire_at", expire_at + CHUNKS_OUTLIVE)))
    return write


def delivery_write(root: str, document_id: str, deliveries: int, attempt: int | None) -> Any:
    """Count ``deliveries`` more of a stored message; it fails with NOT_FOUND when the message is gone."""
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
    """Record one refused push; ``at`` is Firestore's time."""
    write = Write()
    write.update.name = f"{root}/rejections/{document_id}"
    encode_fields(write.update.fields, fields)
    _set_to_request_time(write, "at")
    return write


def with_writes(request: Any, writes: Iterable[Any]) -> bytes:
    """A request (BatchWrite or Commit) in its wire format, each write put behind it: 25 µs of CPU for one of 100 KB.

    Added to the request, every write would be copied twice more, in buffers that grow: 240 µs.
    """
    parts = [_serialize(request)]
    for write in writes:
        encoded = _serialize(write)
        parts += (_WRITES_TAG + _varint(len(encoded)), encoded)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """A length in the wire format (protobuf.dev/programming-guides/encoding/#varints)."""
    low = bytearray()
    while number > 0x7F:
        low.append(number & 0x7F | 0x80)
        number >>= 7
    low.append(number)
    return bytes(low)


class MessageWriter:
    """The calls, for one event loop. Every one is a single attempt."""

    def __init__(self, database: Database) -> None:
        self._name = database.name
        self.root = database.root
        self._calls = AsyncCalls(database)

    async def close(self) -> None:
        """Close the connection; a call under way fails."""
        await self._calls.close()

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        """Send ``writes`` in one BatchWrite; each has its own outcome, None when it is durable.

        A write whose outcome the reply leaves out may or may not have happened: StoreUnavailableError. Raises
        StoreError when the request as a whole failed.
        """
        request = with_writes(_BatchWriteRequest(database=self._name), writes)
        with _no_verdict(), firestore_errors("storing messages"):
            reply = await self._calls.unary(_BATCH_WRITE, request, timeout_seconds)
        outcomes = [_outcome(status) for status in reply.status[: len(writes)]]
        return outcomes + [StoreUnavailableError("Firestore's reply is short.")] * (len(writes) - len(outcomes))

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        """Send ``writes`` in one Commit: all are durable when it returns.

        Raises StoreError: after StoreUnavailableError all or none may have happened, after any other none has.
        """
        request = with_writes(_CommitRequest(database=self._name), writes)
        with firestore_errors("storing messages"):
            await self._calls.unary(_COMMIT, request, timeout_seconds)

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        """Which of these messages are stored already. Raises StoreError."""
        request = _BatchGetDocumentsRequest(database=self._name)
        request.documents.extend(f"{self.root}/messages/{one}" for one in document_ids)
        request.mask.field_paths.append("chunks")
        with _no_verdict(), firestore_errors("looking for stored messages"):
            replies = await self._calls.stream(_BATCH_GET, request, timeout_seconds)
            names = [reply.found.name for reply in replies]
        return {name.rpartition("/")[2] for name in names if name}


@contextlib.contextmanager
def _no_verdict() -> Iterator[None]:
    """ALREADY_EXISTS is one write's own status. Of a whole request it says nothing about any message."""
    try:
        yield
    except DocumentExistsError as exc:
        raise StoreUnavailableError(f"{exc} (of the whole request, which is no answer)") from exc


def _outcome(status: Any) -> StoreError | None:
    if not status.code:
        return None
    return store_error(exceptions.from_grpc_status(status.code, status.message), "storing a message")  # type: ignore[no-untyped-call]
