"""A gRPC proxy before a Firestore that can refuse, cut or mute Listen streams and add responses to them.

It forwards bytes without knowing the methods: on the wire a unary call is a stream of one message.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from infra.local.firestore.rpc.service import SERVER_OPTIONS
from tests.support.firestore.servers import LoopThread

_LISTEN = "/google.firestore.v1.Firestore/Listen"
_COMMIT = "/google.firestore.v1.Firestore/Commit"


@dataclass(eq=False)
class _Open:
    """One open Listen stream: its responses and the orders for it, in their order."""

    orders: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)


class ListenProxy(LoopThread):
    """Clients connect to ``address``. Attributes may be set at any time."""

    def __init__(self, upstream: str) -> None:
        self._upstream_address = upstream
        self._channel: Any = None
        self.refuse: grpc.StatusCode | None = None  # status for every new Listen; ``cut`` ends the open ones
        self.refuse_reads: grpc.StatusCode | None = None
        self.commits_left: int | None = None  # the number of commits that pass before the refusals
        self.refuse_commits = grpc.StatusCode.UNAVAILABLE  # their status
        self.mute = False  # discard Listen's responses: a half-open stream
        self.opened_at: list[float] = []
        self.requests: list[Any] = []  # all ListenRequests
        self._open: set[_Open] = set()
        super().__init__(lambda server: server.add_generic_rpc_handlers((_Handler(self),)))

    def cut(self, code: grpc.StatusCode | None) -> None:
        """End the open Listen streams with a status; None ends them normally."""
        self._order(("cut", code))

    def say(self, response: Any) -> None:
        """Send a ListenResponse (raw protobuf) on the open streams."""
        self._order(("say", response.SerializeToString()))

    def reset(self) -> None:
        """Send a RESET of all targets; the service follows it with the whole result."""
        response = types.ListenResponse.pb()()
        response.target_change.target_change_type = types.TargetChange.TargetChangeType.RESET
        self.say(response)

    def close(self) -> None:
        if self._channel:
            self.run(self._channel.close())
        super().close()

    def _order(self, order: tuple[str, Any]) -> None:
        for one in list(self._open):
            self.loop.call_soon_threadsafe(one.orders.put_nowait, order)

    async def pass_on(self, method: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._upstream_address, options=list(SERVER_OPTIONS))
        call = self._channel.stream_stream(method)(self._kept(method, requests), metadata=context.invocation_metadata())
        try:
            if method == _LISTEN:
                async for response in self._listen(call, context):
                    yield response
            else:
                if self.refuse_reads:
                    await context.abort(self.refuse_reads, "reads are refused")
                if method == _COMMIT and self.commits_left is not None:
                    self.commits_left -= 1
                    if self.commits_left < 0:
                        await context.abort(self.refuse_commits, "commits are refused")
                async for response in call:
                    yield response
        except grpc.aio.AioRpcError as exc:
            await context.abort(exc.code(), exc.details())
        finally:
            call.cancel()

    async def _listen(self, call: Any, context: Any) -> AsyncIterator[bytes]:
        self.opened_at.append(time.monotonic())
        if self.refuse:
            await context.abort(self.refuse, "listening is refused")
        stream = _Open()
        self._open.add(stream)
        relay = asyncio.ensure_future(self._relay(call, stream))
        try:
            while True:
                order, value = await stream.orders.get()
                if order == "say" or (order == "answer" and not self.mute):
                    yield value
                elif order == "cut" and value is None:
                    return
                elif order == "cut":
                    await context.abort(value, "the stream was cut")
        finally:
            relay.cancel()
            self._open.discard(stream)

    async def _relay(self, call: Any, stream: _Open) -> None:
        try:
            async for response in call:
                stream.orders.put_nowait(("answer", response))
            stream.orders.put_nowait(("cut", None))
        except grpc.aio.AioRpcError as exc:
            stream.orders.put_nowait(("cut", exc.code()))

    async def _kept(self, method: str, requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for request in requests:
            if method == _LISTEN:
                self.requests.append(types.ListenRequest.pb().FromString(request))
            yield request


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, proxy: ListenProxy) -> None:
        self._proxy = proxy

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            async for response in self._proxy.pass_on(details.method, requests, context):
                yield response

        return grpc.stream_stream_rpc_method_handler(handle, None, None)
