"""A request's body: counted as it arrives, within a time, and never more large ones at once than memory allows.

Or dropped, where only the answer matters.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from functions.refusals import ClientLeftError
from infra.errors import EnvelopeError

READ_SECONDS = 10.0
DROP_SECONDS = 1.0
DROP_BYTES = 32 * 1024 * 1024  # Cloud Run hands over no more: cloud.google.com/run/quotas, HTTP/1 requests
SMALL_BYTES = 64 * 1024
# A body is held as bytes, as text and decoded before it is sent: about four times its length.
MAX_LARGE_BYTES = 32 * 1024 * 1024


class BodyBudget:
    """Room for large bodies. Who finds none waits unread: TCP holds the sender back."""

    def __init__(self, free_bytes: int = MAX_LARGE_BYTES) -> None:
        self._free_bytes = free_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def hold(self, length: int) -> AsyncIterator[None]:
        """Hold room for a body of ``length`` bytes, first come, first served; a small one needs none."""
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
                # A holder that ended in this same turn of the loop has passed this waiter over already.
                with contextlib.suppress(ValueError):
                    self._waiting.remove((length, turn))
                self._give(0)  # who stood behind this waiter may fit
            raise

    def _give(self, length: int) -> None:
        self._free_bytes += length
        while self._waiting and self._waiting[0][0] <= self._free_bytes:
            taken, turn = self._waiting.popleft()
            self._free_bytes -= taken
            if not turn.done():
                turn.set_result(None)
            else:
                self._free_bytes += taken


async def read_body(request: Request, length: int) -> bytes | bytearray:
    """The body of ``length`` bytes as declared. Raises EnvelopeError (400) when it takes too long or differs in length.

    Raises starlette's ClientDisconnect when the client leaves.
    """
    body: bytes | bytearray = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                if not body:
                    body = part  # most bodies are one part: nothing to copy
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
    """Read what is left of a body and keep none of it, for DROP_SECONDS and DROP_BYTES at most.

    A connection that closes on unread bytes is reset, and the answer on its way to the client is lost (RFC 9112,
    section 9.6).
    """
    dropped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DROP_SECONDS):
            while dropped < DROP_BYTES:
                message = await request.receive()  # not its stream: that may have been left in the midst
                if not message.get("more_body"):
                    return
                dropped += len(message["body"])
