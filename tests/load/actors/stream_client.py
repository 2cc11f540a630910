"""Clients of ``/live``: one that reads as a browser does, one that also leaves often, one that stops reading."""

import asyncio
import contextlib
import json
import socket
import time
from urllib.parse import urlsplit

import aiohttp

from tests.load.actors.visitor import Visitor
from tests.load.check.stream_log import Connection, Frame, StreamLog

RETRY_SECONDS = 1.0  # the stream's own ``retry`` field
# Three pulses are missing: a page reconnects as well.
SILENCE_SECONDS = 45.0


class StreamClient:
    """Reads the stream and reconnects with its last position. With ``leave_seconds`` it leaves after that time."""

    def __init__(self, visitor: Visitor, name: str, leave_seconds: float | None = None) -> None:
        self.log = StreamLog(name)
        self.is_connected = False
        self.arrivals: list[Frame] = []  # first arrivals that were not sampled yet
        self._visitor, self._leave_seconds = visitor, leave_seconds
        self._last_id = ""
        self._after = ""

    async def run(self) -> None:
        """Read until cancelled."""
        self._after = await self._visitor.newest_cursor()
        while True:
            try:
                async with asyncio.timeout(self._leave_seconds):
                    await self._read_once()
            except TimeoutError:
                continue  # it comes back at once, as a reloaded page
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(RETRY_SECONDS)

    async def _read_once(self) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
        position = self._last_id or self._after
        query = {"after": self._after} if self._after else {}
        async with self._visitor.http.get("/live", params=query, headers=headers, timeout=timeout) as response:
            if response.status != 200:
                self.log.refused += 1
                return
            connection = Connection(time.time(), position)
            self.log.connections.append(connection)
            self.is_connected = True
            try:
                await self._read_frames(response, connection)
            finally:
                self.is_connected = False
                connection.ended_at = time.time()

    async def _read_frames(self, response: aiohttp.ClientResponse, connection: Connection) -> None:
        rest = b""
        async for chunk in response.content.iter_any():
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                self._take(block, connection)

    def _take(self, block: bytes, connection: Connection) -> None:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if event_id := fields.get(b"id"):
            self._last_id = event_id.decode()
        match fields.get(b"event"):
            case b"message":
                data = json.loads(fields[b"data"])
                microseconds, position = _microseconds(data["cursor"]), _microseconds(fields[b"id"].decode())
                frame = Frame(time.time(), data["id"], data["deliveries"], microseconds, position)
                connection.frames.append(frame)
                if self.log.seen.setdefault(frame.document, frame.at) == frame.at:
                    self.arrivals.append(frame)
            case b"resync":
                connection.resyncs.append(time.time())
            case b"feed" if self.log.live_at is None:
                if json.loads(fields[b"data"])["status"] == "live":
                    self.log.live_at = time.time()


def _microseconds(cursor: str) -> int:
    return int(cursor.partition("-")[0])


class StalledClient:
    """Opens the stream and reads nothing after the status. The kernel's table of sockets shows when it was cut."""

    def __init__(self, visitor: Visitor, viewer: str) -> None:
        self._cookie = visitor.cookie
        self._port = urlsplit(viewer).port or 80
        self._socket = socket.socket()
        self.blocked_at: float | None = None
        self.cut_at: float | None = None
        self._queued = -1

    @property
    def local_port(self) -> int:
        """The port by which the server knows this client."""
        port: int = self._socket.getsockname()[1]
        return port

    async def open(self) -> None:
        """Send the request and read the status."""
        loop = asyncio.get_running_loop()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        request = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self._cookie}\r\n\r\n"
        await loop.sock_sendall(self._socket, request.encode())
        await loop.sock_recv(self._socket, 12)

    def look(self, sockets: dict[tuple[int, int], tuple[str, int]]) -> None:
        """Note since when the server's send queue does not move, and when the server closed its side."""
        state, queued = sockets.get((self._port, self.local_port), ("", 0))
        now = time.time()
        if self.cut_at is not None:
            return
        if state != "01":
            self.cut_at = now
        elif queued != self._queued or not queued:
            self._queued, self.blocked_at = queued, None
        elif self.blocked_at is None:
            self.blocked_at = now

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed its side."""
        return self.cut_at is None

    @property
    def seconds_until_cut(self) -> float | None:
        """The seconds from the first look at a queue that does not move until the cut; None without a cut."""
        if self.cut_at is None or self.blocked_at is None:
            return None
        return self.cut_at - self.blocked_at

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
