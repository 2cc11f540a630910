"""Serve a Google gRPC service without generated stubs: a table of methods to one generic handler.

The message types ship with Google's clients; the servicer base classes do not. Methods that are not in the table answer
UNIMPLEMENTED with a sentence. A handler refuses a request by raising ``RpcError``.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc


class RpcError(Exception):
    """A handler's refusal: the gRPC status code and the sentence a client sees."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Unary:
    """One request, one response. ``request`` is the raw protobuf class (``X.pb()`` of a proto-plus class)."""

    name: str
    request: Any
    call: Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class ServerStream:
    """One request, a stream of responses."""

    name: str
    request: Any
    call: Callable[[Any], AsyncGenerator[Any, None]]


@dataclass(frozen=True)
class Bidirectional:
    """A stream of requests, a stream of responses."""

    name: str
    request: Any
    call: Callable[[AsyncIterator[Any]], AsyncGenerator[Any, None]]


Method = Unary | ServerStream | Bidirectional


def _serialize(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded


def _unary(method: Unary) -> "grpc.RpcMethodHandler[Any, Any]":
    async def handle(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        try:
            return await method.call(request)
        except RpcError as refusal:
            await context.abort(refusal.code, refusal.details)

    return grpc.unary_unary_rpc_method_handler(handle, method.request.FromString, _serialize)


def _streaming(method: ServerStream | Bidirectional) -> "grpc.RpcMethodHandler[Any, Any]":
    async def handle(request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        try:
            # Write instead of yield: a stream that is cancelled between two responses is then closed at once, and not
            # only when the garbage collector runs.
            async with aclosing(method.call(request)) as responses:
                async for response in responses:
                    await context.write(response)
        except RpcError as refusal:
            await context.abort(refusal.code, refusal.details)

    kind = (
        grpc.unary_stream_rpc_method_handler
        if isinstance(method, ServerStream)
        else grpc.stream_stream_rpc_method_handler
    )
    return kind(handle, method.request.FromString, _serialize)


class Service(grpc.GenericRpcHandler):
    """All methods of one gRPC service, for example ``Service("google.firestore.v1.Firestore", methods)``."""

    def __init__(self, name: str, methods: Iterable[Method]) -> None:
        self._prefix = f"/{name}/"
        self._handlers = {
            self._prefix + method.name: _unary(method) if isinstance(method, Unary) else _streaming(method)
            for method in methods
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        path: str = handler_call_details.method
        if path in self._handlers:
            return self._handlers[path]
        if path.startswith(self._prefix):
            return _unimplemented(path)
        return None


def _unimplemented(path: str) -> "grpc.RpcMethodHandler[Any, Any]":
    async def refuse(_: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"The local cloud does not implement {path.rpartition('/')[2]}."
        )

    return grpc.unary_unary_rpc_method_handler(refuse, None, None)
