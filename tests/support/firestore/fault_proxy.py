"""A proxy before a Firestore or a Pub/Sub that causes faults on request."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from tests.support.firestore.reader import ANY_SIZE, OWNER


class Fault(Exception):
    """An error status that a call returns instead of Firestore's reply."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


# Handles one call: it may sleep, raise Fault, and call ``forward``.
Behaviour = Callable[[Callable[[], bytes]], bytes]


def passing(forward: Callable[[], bytes]) -> bytes:
    """Forward the call."""
    return forward()


def failing(code: grpc.StatusCode, seconds: float = 0.0) -> Behaviour:
    """Refuse the call after ``seconds`` without asking Firestore."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        time.sleep(seconds)
        raise Fault(code)

    return behave


def losing_the_reply(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> Behaviour:
    """Let Firestore commit, and fail instead of its reply."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        forward()
        raise Fault(code)

    return behave


def slow(seconds: float) -> Behaviour:
    """Forward the call after ``seconds``."""

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
    """A gRPC proxy before a Firestore or a Pub/Sub.

    ``queue`` holds the behaviours of the next writing calls (of Pub/Sub: ModifyPushConfig), ``always`` that of all
    later ones. ``refused`` names the
    reading calls that fail with UNAVAILABLE.
    """

    def __init__(self, upstream: str) -> None:
        self.always: Behaviour = passing
        self.queue: list[Behaviour] = []
        self.refused: frozenset[str] = frozenset()
        self.calls: list[str] = []
        self.request_bytes: list[int] = []
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(upstream, options=ANY_SIZE)
        self._server = grpc.server(ThreadPoolExecutor(32), handlers=[self], options=ANY_SIZE)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait(5)
        self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        method: str = handler_call_details.method
        if method.endswith(("/BatchWrite", "/Commit", "/ModifyPushConfig")):
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
                return self._next(method)(lambda: _bytes(upstream(request, timeout=30, metadata=OWNER)))
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
            yield from upstream(request, timeout=30, metadata=OWNER)

        return call


def _bytes(reply: Any) -> bytes:
    assert isinstance(reply, bytes)
    return reply
