"""Reads or discards a request's body, bounded in length, time and memory.

The memory budget for large bodies counts the bytes that have arrived, never those that are only declared.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator

from starlette.requests import ClientDisconnect, Request

from functions.refusals import ClientLeftError
from infra.errors import EnvelopeError

READ_SECONDS = 10.0
DROP_SECONDS = 1.0
DROP_BYTES = 32 * 1024 * 1024  # the most that Cloud Run forwards: cloud.google.com/run/quotas, HTTP/1 requests
SMALL_BYTES = 64 * 1024
# A body is in memory as bytes, as text and decoded before it is sent: about four times its length. One more body may
# exceed this number, so with the longest body (15 MiB) there are 32 MiB at most.
SHARED_BYTES = 17 * 1024 * 1024


class BodyShare:
    """The bytes of one body that are in memory."""

    __slots__ = ("_budget", "held_bytes")

    def __init__(self, budget: "BodyBudget") -> None:
        self._budget = budget
        self.held_bytes = 0

    def take_now(self, count: int) -> bool:
        """Count ``count`` more bytes; False if they must wait."""
        return self._budget.take_now(self, count)

    async def take(self, count: int) -> None:
        """Count ``count`` more bytes, and wait until there is room for them."""
        await self._budget.take(self, count)


class BodyBudget:
    """The budget of one event loop.

    A body whose next bytes do not fit is not read on, and TCP back-pressure holds its sender. One body at a time may
    exceed the budget: otherwise several bodies, each half read, would wait for one another.
    """

    def __init__(self, free_bytes: int = SHARED_BYTES) -> None:
        self._free_bytes = free_bytes
        self._exceeding: BodyShare | None = None
        self._waiting: deque[tuple[BodyShare, int, asyncio.Future[None]]] = deque()

    @contextlib.contextmanager
    def share(self) -> Iterator[BodyShare]:
        """Give a body its share, which is free again at the end."""
        share = BodyShare(self)
        try:
            yield share
        finally:
            self._free_bytes += share.held_bytes
            if self._free_bytes >= 0:
                self._exceeding = None
            self._serve()

    def take_now(self, share: BodyShare, count: int) -> bool:
        """Count ``count`` bytes of a share, unless they do not fit or other shares wait."""
        fits = self._exceeding is share or (not self._waiting and self._fits(count))
        if fits:
            self._count(share, count)
        return fits

    async def take(self, share: BodyShare, count: int) -> None:
        """Count ``count`` bytes of a share; wait for room, first come, first served."""
        if self.take_now(share, count):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((share, count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            turn.cancel()
            self._serve()  # the next one may fit
            raise

    def _fits(self, count: int) -> bool:
        return count <= self._free_bytes or self._exceeding is None

    def _count(self, share: BodyShare, count: int) -> None:
        share.held_bytes += count
        self._free_bytes -= count
        if self._free_bytes < 0:
            self._exceeding = share

    def _serve(self) -> None:
        while self._waiting:
            share, count, turn = self._waiting[0]
            if not turn.done():
                if not self._fits(count):
                    return
                self._count(share, count)
                turn.set_result(None)
            self._waiting.popleft()


async def read_body(request: Request, length: int, share: BodyShare) -> bytes | bytearray:
    """Read a body of ``length`` bytes, as declared.

    If the body has more than SMALL_BYTES, ``share`` counts its bytes as they arrive.

    Raises EnvelopeError (400) if it takes too long or differs in length (the time that it waits for room does not
    count), ClientLeftError (400) if the client leaves.
    """
    body: bytes | bytearray = b""
    try:
        async with asyncio.timeout(READ_SECONDS) as deadline:
            async for part in request.stream():
                if length > SMALL_BYTES and not share.take_now(len(part)):
                    await _wait_for_room(share, len(part), deadline)
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


async def _wait_for_room(share: BodyShare, count: int, deadline: asyncio.Timeout) -> None:
    now = asyncio.get_running_loop().time
    left = (deadline.when() or 0.0) - now()
    deadline.reschedule(None)
    await share.take(count)
    deadline.reschedule(now() + left)


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
