"""Calls over one asynchronous connection, with a real timeout, and with a new connection after a dead one.

gRPC's deadline does not bound a call: while the server does not read, gRPC waits to write (26 s measured for 5 s). And
a dead connection, for example one that a NAT has dropped, stays "ready" for minutes: keep-alive pings did not end it,
while a new connection works at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from infra.errors import StoreUnavailableError
from infra.firestore.client import Database

# Our timeout comes after gRPC's deadline, because gRPC's error says more.
GRACE_SECONDS = 0.25
# One timeout is a slow answer; two in a row, with no answer between them, are a dead connection.
MISSES = 2
_CLOSE_SECONDS = 10.0


@dataclass(frozen=True)
class Rpc:
    """One RPC method. If ``serialize`` is None, requests are bytes already."""

    path: str
    serialize: Callable[[Any], bytes] | None
    deserialize: Callable[[bytes], Any]


class AsyncCalls:
    """Makes calls on one event loop. Each call is a single attempt."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._opening: asyncio.Task[grpc.aio.Channel] | None = None
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[Rpc, Any] = {}
        self._missed = 0
        self._closing: set[asyncio.Task[None]] = set()

    async def unary(self, rpc: Rpc, request: Any, timeout_seconds: float) -> Any:
        """Call and return the reply. Raises grpc.RpcError, Google's credential errors, and StoreUnavailableError."""

        async def reply(channel: grpc.aio.Channel) -> Any:
            method = self._method(rpc, channel.unary_unary)
            return await method(request, timeout=timeout_seconds, metadata=self._database.call_metadata)

        return await self._bounded(reply, timeout_seconds)

    async def stream(self, rpc: Rpc, request: Any, timeout_seconds: float) -> list[Any]:
        """Call and return all replies of a finite stream. Raises as ``unary``."""

        async def replies(channel: grpc.aio.Channel) -> list[Any]:
            method = self._method(rpc, channel.unary_stream)
            stream = method(request, timeout=timeout_seconds, metadata=self._database.call_metadata)
            return [reply async for reply in stream]

        received: list[Any] = await self._bounded(replies, timeout_seconds)
        return received

    async def close(self) -> None:
        """Close the connections at once."""
        if self._opening is not None:
            self._opening.cancel()
        if self._channel is not None:
            await self._channel.close()
        for closing in self._closing:
            closing.cancel()

    async def _bounded(self, call: Callable[[grpc.aio.Channel], Awaitable[Any]], timeout_seconds: float) -> Any:
        channel = None
        try:
            async with asyncio.timeout(timeout_seconds + GRACE_SECONDS):
                channel = await self._open()
                reply = await call(channel)
        except TimeoutError as exc:
            self._miss(channel)
            raise StoreUnavailableError(f"Firestore did not answer within {timeout_seconds:.3g} s.") from exc
        except grpc.RpcError as exc:
            if exc.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self._miss(channel)
            raise
        if channel is self._channel:
            self._missed = 0
        return reply

    async def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            if self._opening is None:
                self._opening = asyncio.create_task(self._open_new())
                self._opening.add_done_callback(_take_error)
            # A call that times out leaves the shared credential fetch running; restarting it each time meant that slow
            # credentials never arrived.
            return await asyncio.shield(self._opening)
        return self._channel

    async def _open_new(self) -> grpc.aio.Channel:
        try:
            self._channel = await self._database.open_async_channel()
            return self._channel
        except (OSError, ValueError) as exc:
            # Google's library raises its own errors, except for a file that cannot be read.
            raise StoreUnavailableError(f"The credentials for Firestore cannot be read: {exc}") from exc
        finally:
            self._opening = None

    def _method(self, rpc: Rpc, kind: Callable[..., Any]) -> Any:
        if rpc not in self._methods:
            self._methods[rpc] = kind(rpc.path, rpc.serialize, rpc.deserialize)
        return self._methods[rpc]

    def _miss(self, channel: grpc.aio.Channel | None) -> None:
        # Timeouts of calls on the old, dead channel must not count against its replacement.
        if channel is not self._channel or channel is None:
            return
        self._missed += 1
        if self._missed < MISSES:
            return
        # Calls in flight on the old channel may still succeed.
        closing = asyncio.create_task(channel.close(_CLOSE_SECONDS))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._channel, self._missed = None, 0
        self._methods.clear()


def _take_error(task: asyncio.Task[Any]) -> None:
    """Retrieve the error of a task without waiters: asyncio prints a traceback for errors never retrieved."""
    if not task.cancelled():
        task.exception()
