"""Reads or discards a request's body, bounded in length, time and memory."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from functions.refusals import ClientLeftError
from infra.errors import EnvelopeError

READ_SECONDS = 10.0
DROP_SECONDS = 1.0
DROP_BYTES = 32 * 1024 * 1024  # the most that Cloud Run forwards: cloud.google.com/run/quotas, HTTP/1 requests
SMALL_BYTES = 64 * 1024
# A body is in memory as bytes, as text and decoded before it is sent: about four times its length.
MAX_LARGE_BYTES = 32 * 1024 * 1024


class BodyBudget:
    """Memory budget for large bodies.

    A request that does not fit is not read until it does; TCP back-pressure holds the sender.
    """

    def __init__(self, free_bytes: int = MAX_LARGE_BYTES) -> None:
        self._free_bytes = free_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def hold(self, length: int) -> AsyncIterator[None]:
        """Reserve ``length`` bytes, first come, first served; a body of SMALL_BYTES or less needs no reservation."""
        if length <= SMALL_BYTES:
            yield
            return
        await self._take(length)
        try:
            yield
        finally:
            self._give(length)

    async def _take(self, length: int) -> None:
        if not self._waiting and length <= self._free_bytes:
            self._free_bytes -= length
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((length, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(length)
            else:
                # If a holder ended in this loop iteration, it has removed this cancelled waiter already.
                with contextlib.suppress(ValueError):
                    self._waiting.remove((length, turn))
                self._give(0)  # the next waiter in the queue may fit now
            raise

    def _give(self, length: int) -> None:
        self._free_bytes += length
        while self._waiting and self._waiting[0][0] <= self._free_bytes:
            length, turn = self._waiting.popleft()
            self._free_bytes -= length
            if not turn.done():
                turn.set_result(None)
            else:
                self._free_bytes += length


async def read_body(request: Request, length: int) -> bytes | bytearray:
    """Read a body of ``length`` bytes, as declared.

    Raises EnvelopeError (400) if it takes too long or differs in length, ClientLeftError (400) if the client leaves.
    """
    body: bytes | bytearray = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                if not body:
                    body = part  # most bodies are one part: no copy
                    continue
                if isinstance(body, bytes):
                    body = bytearray(body)
                body += part
                if len(body) > length:
                    break
    except TimeoutError as exc:
        raise EnvelopeError("body", f"did not arrive within {READ_SECONDS:g} s") from exc
    except ClientDisconnect as exc:
        raise ClientLeftError from exc
    if len(body) != length:
        raise EnvelopeError("body", f"is not {length} bytes long, as its Content-Length says")
    return body


async def drop_body(request: Request) -> None:
    """Read and discard the rest of a body, for at most DROP_SECONDS and DROP_BYTES.

    A connection that closes on unread bytes is reset, and the client loses the answer (RFC 9112, section 9.6).
    """
    dropped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DROP_SECONDS):
            while dropped < DROP_BYTES:
                message = await request.receive()  # not request.stream(): read_body may have left it half read
                if not message.get("more_body"):
                    return
                dropped += len(message["body"])
