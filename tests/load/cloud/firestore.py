"""The local Firestore with faults: calls that are refused, slow or without a reply, and Listen streams that end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any

import grpc

from infra.local.firestore import FirestoreServer
from infra.local.rpc import Bidirectional, Method, RpcError, ServerStream, Unary
from tests.load.cloud.faults import Faults

_WRITES = frozenset({"Commit", "BatchWrite", "CreateDocument", "UpdateDocument", "DeleteDocument"})


class FaultyFirestore(FirestoreServer):
    """Asks ``faults`` before and after each call."""

    def __init__(self, faults: Faults, **options: Any) -> None:
        super().__init__(**options)
        self._faults = faults

    def _methods(self) -> list[Method]:
        return [self._faulty(method) for method in super()._methods()]

    def _faulty(self, method: Method) -> Method:
        if isinstance(method, Unary):
            return self._unary(method)
        if isinstance(method, ServerStream):
            return self._server_stream(method)
        return self._listen(method)

    def _unary(self, method: Unary) -> Unary:
        is_write = method.name in _WRITES

        async def call(request: Any) -> Any:
            await self._faults.before_call(is_write=is_write)
            reply = await method.call(request)
            if is_write:
                self._faults.after_write()
            return reply

        return replace(method, call=call)

    def _server_stream(self, method: ServerStream) -> ServerStream:
        async def call(request: Any) -> AsyncGenerator[Any, None]:
            await self._faults.before_call(is_write=False)
            async for response in method.call(request):
                yield response

        return replace(method, call=call)

    def _listen(self, method: Bidirectional) -> Bidirectional:
        async def call(requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
            await self._faults.before_call(is_write=False)
            orders: asyncio.Queue[str] = asyncio.Queue()
            self._faults.listen_orders.add(orders)
            try:
                async for response in _interruptible(method.call(requests), orders):
                    yield response
            finally:
                self._faults.listen_orders.discard(orders)

        return replace(method, call=call)


async def _interruptible(
    responses: AsyncGenerator[Any, None], orders: "asyncio.Queue[str]"
) -> AsyncGenerator[Any, None]:
    """Pass on the responses until an order: ``mute`` drops all later ones, a status ends the stream with it."""
    ordered = asyncio.ensure_future(orders.get())
    following: asyncio.Future[Any] | None = None
    is_mute = False
    try:
        while True:
            following = following or asyncio.ensure_future(anext(responses))
            await asyncio.wait((ordered, following), return_when=asyncio.FIRST_COMPLETED)
            if ordered.done():
                if ordered.result() != "mute":
                    raise RpcError(grpc.StatusCode[ordered.result()], "the stream is cut on purpose")
                is_mute, ordered = True, asyncio.ensure_future(orders.get())
                continue
            try:
                response = following.result()
            except StopAsyncIteration:
                return
            following = None
            if not is_mute:
                yield response
    finally:
        for waiting in (ordered, following):
            if waiting:
                waiting.cancel()
        await asyncio.gather(*filter(None, (ordered, following)), return_exceptions=True)
        await responses.aclose()
