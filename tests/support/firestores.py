"""A Firestore for tests, and a proxy before it that fails as it is told. Both speak real gRPC on loopback."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from infra.firestore.encoding import decode_fields
from tests.support.receiver_process import PROJECT

ROOT_NAME = f"projects/{PROJECT}/databases/(default)/documents"
_RunQueryRequest: Any = types.RunQueryRequest.pb()
_RunQueryResponse: Any = types.RunQueryResponse.pb()
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def _serve(pipe: Connection) -> None:
    # In its own process: its cost is not the test's, and it can be frozen and killed.
    import asyncio

    from infra.local.firestore import SERVER_OPTIONS, FirestoreServer

    async def run() -> None:
        server = grpc.aio.server(options=SERVER_OPTIONS)
        FirestoreServer().add_to(server)
        port = server.add_insecure_port(f"127.0.0.1:{pipe.recv()}")
        await server.start()
        pipe.send(port)
        await server.wait_for_termination()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run())


class LocalFirestore:
    """infra/local's Firestore as a process of its own, with nothing in it."""

    def __init__(self, port: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        ours.send(port)
        assert ours.poll(20), "the local Firestore did not start within 20 s"
        self.port: int = ours.recv()
        ours.close()
        theirs.close()
        self.address = f"127.0.0.1:{self.port}"

    def freeze(self) -> None:
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process.pid
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.join(5)
        self._process.close()


@contextlib.contextmanager
def local_firestore() -> Iterator[str]:
    """infra/local's Firestore as host:port."""
    server = LocalFirestore()
    try:
        yield server.address
    finally:
        server.close()


class Reader:
    """Reads a Firestore as an outside observer: raw queries, nothing of the product's reading code."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=_ANY_SIZE)
        self._query: grpc.UnaryStreamMultiCallable[Any, Any] = self._channel.unary_stream(
            "/google.firestore.v1.Firestore/RunQuery",
            lambda request: request.SerializeToString(),
            _RunQueryResponse.FromString,
        )

    def close(self) -> None:
        self._channel.close()

    def all(self, collection: str, parent: str = "") -> dict[str, dict[str, Any]]:
        """Every document of a collection by id."""
        request = _RunQueryRequest(parent=f"{ROOT_NAME}/{parent}".rstrip("/"))
        request.structured_query.from_.add().collection_id = collection
        replies = self._query(request, timeout=30, metadata=_OWNER)
        found = [reply.document for reply in replies if reply.HasField("document")]
        return {document.name.rpartition("/")[2]: decode_fields(document) for document in found}

    def messages(self) -> dict[str, dict[str, Any]]:
        """Every stored message by its Pub/Sub message id."""
        return {fields["message_id"]: {"id": name, **fields} for name, fields in self.all("messages").items()}

    def payload(self, message: dict[str, Any]) -> bytes:
        """The whole payload of one of ``messages()``."""
        if not message["chunks"]:
            data: bytes = message["data"]
            return data
        chunks = self.all("chunks", f"messages/{message['id']}")
        return b"".join(chunks[name]["data"] for name in sorted(chunks))


class Fault(Exception):
    """What a call answers instead of Firestore's reply."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


# What happens to one call: it may sleep, raise Fault, and call ``forward`` or not.
Behaviour = Callable[[Callable[[], bytes]], bytes]


def passing(forward: Callable[[], bytes]) -> bytes:
    """No fault."""
    return forward()


def failing(code: grpc.StatusCode, seconds: float = 0.0) -> Behaviour:
    """Refuse without asking Firestore, after a while."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        time.sleep(seconds)
        raise Fault(code)

    return behave


def losing_the_reply(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> Behaviour:
    """Let Firestore commit, and lose its answer."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        forward()
        raise Fault(code)

    return behave


def slow(seconds: float) -> Behaviour:
    """Answer late."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        time.sleep(seconds)
        return forward()

    return behave


def changing_the_reply(change: Callable[[Any], None]) -> Behaviour:
    """Let Firestore commit, and change its BatchWriteResponse."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        reply = types.BatchWriteResponse.pb().FromString(forward())
        change(reply)
        encoded: bytes = reply.SerializeToString()
        return encoded

    return behave


class FaultProxy(grpc.GenericRpcHandler):
    """A gRPC proxy before a Firestore. ``queue`` are the next writing calls' behaviours, ``always`` all later ones'.

    ``refused`` are the reading calls that are UNAVAILABLE.
    """

    def __init__(self, upstream: str) -> None:
        self.always: Behaviour = passing
        self.queue: list[Behaviour] = []
        self.refused: frozenset[str] = frozenset()
        self.calls: list[str] = []
        self.request_bytes: list[int] = []
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(upstream, options=_ANY_SIZE)
        self._server = grpc.server(ThreadPoolExecutor(32), handlers=[self], options=_ANY_SIZE)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait(5)
        self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        method: str = handler_call_details.method
        if method.endswith(("/BatchWrite", "/Commit")):
            return grpc.unary_unary_rpc_method_handler(self._unary(method))
        return grpc.unary_stream_rpc_method_handler(self._stream(method))

    def _next(self, method: str) -> Behaviour:
        with self._lock:
            self.calls.append(method.rpartition("/")[2])
            return self.queue.pop(0) if self.queue else self.always

    def _unary(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        upstream: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.request_bytes.append(len(request))
            try:
                return self._next(method)(lambda: _bytes(upstream(request, timeout=30, metadata=_OWNER)))
            except Fault as fault:
                context.abort(fault.code, "a fault on purpose")
                raise
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
                raise

        return call

    def _stream(self, method: str) -> Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]:
        upstream: grpc.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(method)

        def call(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            name = method.rpartition("/")[2]
            with self._lock:
                self.calls.append(name)
            if name in self.refused:
                context.abort(grpc.StatusCode.UNAVAILABLE, "a fault on purpose")
            yield from upstream(request, timeout=30, metadata=_OWNER)

        return call


_OWNER = (("authorization", "Bearer owner"),)


def _bytes(reply: Any) -> bytes:
    assert isinstance(reply, bytes)
    return reply
