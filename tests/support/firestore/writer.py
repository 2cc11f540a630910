"""Writes messages and states to a Firestore as the receiver and the viewer do."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import types

from infra.firestore.client import Database
from infra.firestore.encoding import Plain, encode_fields
from infra.messages.chunks import CHUNK_BYTES, chunk_count
from infra.messages.message import Message, document_id
from tests.support.firestore.settings import SUBSCRIPTION, settings_for

START = datetime(2026, 1, 2, tzinfo=UTC)
SERVER_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME


class Writer:
    """Stores messages as the receiver does: one write each; the server sets ``received_at`` unless it is given."""

    def __init__(self, address: str, **environ: str) -> None:
        self.database = Database(settings_for(address, **environ))
        self._next = 0

    def close(self) -> None:
        close: Any = self.database.api.transport.close  # the attribute has no types
        close()

    def message(self, **fields: Plain) -> str:
        """Store one message; return its id."""
        return self.messages(1, **fields)[0]

    def messages(self, count: int, **fields: Plain) -> list[str]:
        """Store ``count`` messages in one request; return their ids."""
        writes, ids = [], []
        for _ in range(count):
            self._next += 1
            ids.append(document_id(SUBSCRIPTION, f"{id(self)}-{self._next}"))
            writes.append(self._write(ids[-1], fields))
        self._send(writes)
        return ids

    def named(self, subscription: str, message_id: str, **fields: Plain) -> str:
        """Store the message of a Pub/Sub message id; return its document's id."""
        document = document_id(subscription, message_id)
        self._send([self._write(document, {"subscription": subscription, "message_id": message_id, **fields})])
        return document

    def large(self, payload: bytes, **fields: Plain) -> str:
        """Store one message with its payload in chunks."""
        document = self.message(data=None, chunks=chunk_count(len(payload)), size_bytes=len(payload), **fields)
        for index, start in enumerate(range(0, len(payload), CHUNK_BYTES)):
            write = types.Write.pb()()
            write.update.name = self._name("messages", f"{document}/chunks/{index:04d}")
            encode_fields(write.update.fields, [("data", payload[start : start + CHUNK_BYTES])])
            self._send([write])
        return document

    def redeliver(self, document: str, deliveries: int) -> None:
        """Set the number of deliveries of a stored message."""
        write = types.Write.pb()()
        write.update.name = self._name("messages", document)
        encode_fields(write.update.fields, [("deliveries", deliveries)])
        write.update_mask.field_paths.append("deliveries")
        self._send([write])

    def delete(self, *documents: str) -> None:
        """Delete messages as their expiry does."""
        self._send([types.Write.pb()(delete=self._name("messages", one)) for one in documents])

    def subscription(self, name: str, **fields: Plain) -> None:
        """Set a subscription's observed state."""
        write = types.Write.pb()()
        write.update.name = self._name("subscriptions", name)
        encode_fields(write.update.fields, fields.items())
        self._send([write])

    def _write(self, document: str, fields: dict[str, Plain]) -> Any:
        write = types.Write.pb()()
        write.update.name = self._name("messages", document)
        encode_fields(write.update.fields, (_plain_message(document) | fields).items())
        if "received_at" not in fields:
            write.update_transforms.add(field_path="received_at", set_to_server_value=SERVER_TIME)
        return write

    def _send(self, writes: list[Any]) -> None:
        request = types.BatchWriteRequest.pb()(database=self.database.name, writes=writes)
        # After a restart of the server gRPC itself waits before it connects again.
        patience = Retry(predicate=if_exception_type(ServiceUnavailable), initial=0.1, maximum=0.5, timeout=10)
        reply = self.database.api.batch_write(request, retry=patience, timeout=10, metadata=self.database.metadata)
        assert not any(one.code for one in type(reply).pb(reply).status), "a write was refused"

    def _name(self, collection: str, document: str) -> str:
        return f"{self.database.root}/{collection}/{document}"


def _plain_message(document: str) -> dict[str, Plain]:
    now = datetime.now(UTC)
    return {
        "subscription": SUBSCRIPTION,
        "message_id": document[:12],
        "ordering_key": "",
        "publish_time": now,
        "attributes": {},
        "tokens": [],
        "kind": "text",
        "preview": "hello",
        "data": b"hello",
        "chunks": 0,
        "size_bytes": 5,
        "sha256": "",
        "deliveries": 1,
        "last_delivered_at": now,
        "shard": 0,
        "expire_at": now + timedelta(days=7),
    }


def stored_message(number: int, *, data: bytes = b"", deliveries: int = 1) -> Message:
    """Return message ``number`` of an invented history: one each second from ``START`` on."""
    at = START + timedelta(seconds=number)
    return Message(
        id=document_id("builds", str(number)),
        subscription="builds",
        message_id=str(number),
        publish_time=at,
        received_at=at,
        attributes={},
        kind="text",
        preview="",
        data=data,
        chunks=0,
        size_bytes=len(data),
        sha256="",
        deliveries=deliveries,
        last_delivered_at=at,
        expire_at=at,
    )
