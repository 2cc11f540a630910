"""What the feed's tests, faults and benchmarks run on: a real Firestore on loopback and a writer.

Nothing is faked: the local Firestore speaks gRPC in a thread of its own, and can be stopped and started on its port.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import types

from infra.firestore.client import Database
from infra.firestore.encoding import Plain, encode_fields
from infra.local.firestore import FirestoreServer
from infra.local.firestore.rpc.service import SERVER_OPTIONS
from infra.messages.message import Message, document_id
from infra.settings import ViewerSettings, viewer_settings

SUBSCRIPTION = "builds"
START = datetime(2026, 1, 2, tzinfo=UTC)
SERVER_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME


def wait_until(condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Wait for ``condition``; fail with a sentence after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.01)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LoopThread:
    """A gRPC server on an asyncio loop in a thread; ``add`` puts the handlers on it."""

    def __init__(self, add: Callable[[grpc.aio.Server], None], port: int = 0) -> None:
        self._add = add
        self.port = port
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Any = None
        self.up()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def up(self) -> None:
        """Answer, on the same port as before."""
        self.run(self._up())

    def down(self) -> None:
        """Refuse every connection and break the open ones."""
        self.run(self._server.stop(0))

    def close(self) -> None:
        self.down()
        self.run(_finish_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _up(self) -> None:
        # Without SO_REUSEPORT a second server on the port is an error, not a thief.
        self._server = grpc.aio.server(options=[*SERVER_OPTIONS, ("grpc.so_reuseport", 0)])
        self._add(self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()


async def _finish_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class LocalFirestore(LoopThread):
    """The local Firestore, in this process."""

    def __init__(self, heartbeat_seconds: float = 30.0) -> None:
        self.firestore = FirestoreServer(heartbeat_seconds)
        super().__init__(self.firestore.add_to)


def settings_for(address: str, **environ: str) -> ViewerSettings:
    """The viewer's settings with the Firestore at ``address``."""
    return viewer_settings(environ_for(address) | environ)


def environ_for(address: str) -> dict[str, str]:
    """The viewer's environment with the Firestore at ``address``."""
    return {
        "GOOGLE_CLOUD_PROJECT": "subscope-test",
        "PUSH_AUDIENCE": "https://receiver.example/push",
        "PUSH_SERVICE_ACCOUNT": "push@subscope-test.iam.gserviceaccount.com",
        "SUBSCRIPTIONS": SUBSCRIPTION,
        "PUSH_ENDPOINT": "https://receiver.example/push",
        "SECRET_KEY": "k" * 32,
        "FIRESTORE_EMULATOR_HOST": address,
    }


class Writer:
    """Stores messages as the receiver does: one write each, ``received_at`` by the server unless given."""

    def __init__(self, address: str, **environ: str) -> None:
        self.database = Database(settings_for(address, **environ))
        self._next = 0

    def close(self) -> None:
        close: Any = self.database.api.transport.close  # carries no types
        close()

    def message(self, **fields: Plain) -> str:
        """Store one message; return its id."""
        return self.messages(1, **fields)[0]

    def messages(self, count: int, **fields: Plain) -> list[str]:
        """Store so many in one request; return their ids."""
        writes, ids = [], []
        for _ in range(count):
            self._next += 1
            ids.append(document_id(SUBSCRIPTION, f"{id(self)}-{self._next}"))
            writes.append(self._write(ids[-1], fields))
        self._send(writes)
        return ids

    def named(self, subscription: str, message_id: str, **fields: Plain) -> str:
        """Store the message of an id as the receiver names it; return its document's id."""
        document = document_id(subscription, message_id)
        self._send([self._write(document, {"subscription": subscription, "message_id": message_id, **fields})])
        return document

    def redeliver(self, document: str, deliveries: int) -> None:
        """Say that a stored message was delivered so often."""
        write = types.Write.pb()()
        write.update.name = self._name("messages", document)
        encode_fields(write.update.fields, [("deliveries", deliveries)])
        write.update_mask.field_paths.append("deliveries")
        self._send([write])

    def delete(self, *documents: str) -> None:
        """Delete messages, as their expiry does."""
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
        # After a restart gRPC itself waits a while before it connects again.
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
    """A message of a made-up history: one each second from ``START`` on."""
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
