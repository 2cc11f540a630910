"""The open responses of the stream: how many there may be, their keep-alives, and clients that are gone or do not read.

While there are connections, one thread checks them all once a second. A connection's own thread cannot: it waits for
frames, or the kernel blocks it while it sends.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.errors import BusyError
from web.access.places import SHARES
from web.http.client_socket import has_closed
from web.live.client_feed import ClientFeed
from web.live.sse import KEEP_ALIVE_SECONDS

# Bytes that a client has not read wait in the kernel, which would let them grow to megabytes for each connection.
_SEND_BUFFER_BYTES = 256 * 1024
_CHECK_SECONDS = 1.0
# A person may open a quarter of all connections (SHARES), and at least enough for a dozen tabs.
MIN_SHARE = 10


@dataclass(frozen=True)
class ConnectionLimits:
    """The times after which a connection gets a keep-alive, is checked or is closed."""

    keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    stall_seconds: float = 30.0
    # While the process shuts down: SIGKILL comes ten seconds after SIGTERM.
    shutdown_stall_seconds: float = 1.0
    session_seconds: float = 60.0
    # Cloud Run ends a request after an hour at most (cloud.google.com/run/docs/configuring/request-timeout).
    life_seconds: float = 50 * 60.0


class Connection:
    """The body of one response: frames, a keep-alive if there are none, and the reasons to end it."""

    def __init__(
        self,
        *,
        user: str,
        session: str,
        client_feed: ClientFeed,
        is_session_valid: Callable[[], bool],
        client_socket: socket.socket | None,
        limits: ConnectionLimits,
    ) -> None:
        self.user, self.session = user, session
        now = time.monotonic()
        self._client_feed, self._is_session_valid, self._limits = client_feed, is_session_valid, limits
        self._socket = client_socket
        self._keep_alive_at = now + limits.keep_alive_seconds
        self._check_session_at = now + limits.session_seconds
        self._end_at = now + limits.life_seconds
        if client_socket:
            client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._sending_since: float | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._sending_since = None
        while not self._client_feed.ended and self._may_go_on():
            due = min(self._keep_alive_at, self._check_session_at, self._end_at)
            chunk = self._client_feed.poll(max(0.0, due - time.monotonic()))
            if not chunk and time.monotonic() >= self._keep_alive_at:
                chunk = self._client_feed.keep_alive()
            if chunk:
                self._sending_since = time.monotonic()
                self._keep_alive_at = self._sending_since + self._limits.keep_alive_seconds
                return chunk
        raise StopIteration

    def close(self) -> None:
        """End the response: the client left, or the server closes it."""
        self._client_feed.close()

    def check(self, stall_seconds: float) -> None:
        """Close the connection if its client is gone or has read nothing for ``stall_seconds``. From any thread."""
        sending_since = self._sending_since
        if sending_since is not None and time.monotonic() - sending_since > stall_seconds:
            self._cut()
        elif has_closed(self._socket):
            self._client_feed.close()

    def _may_go_on(self) -> bool:
        now = time.monotonic()
        if now >= self._end_at:
            return False
        if now < self._check_session_at:
            return True
        self._check_session_at = now + self._limits.session_seconds
        return self._is_session_valid()

    def _cut(self) -> None:
        self._client_feed.close()
        if self._socket:
            try:
                # A socket timeout would do, but gunicorn logs it with a traceback; a broken pipe it ignores.
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # another thread has closed it


class Connections:
    """All open connections of the process: at most ``max_connections``, and for one person a fair share of them."""

    def __init__(self, max_connections: int, limits: ConnectionLimits | None = None) -> None:
        self.limits = limits or ConnectionLimits()
        self._max = max_connections
        self._share = min(max_connections, max(MIN_SHARE, max_connections // SHARES))
        self._is_shutting_down = False
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._reserved: Counter[str] = Counter()
        self._is_checking = False

    def __len__(self) -> int:
        return self._reserved.total()

    def reserve(self, user: str) -> None:
        """Reserve a slot for a person. Raises BusyError."""
        with self._lock:
            if len(self) >= self._max:
                raise BusyError("All live streams are taken. Close a page, or try again.")
            if self._reserved[user] >= self._share:
                raise BusyError(f"You have {self._share} live streams open, the most for one person. Close a page.")
            self._reserved[user] += 1

    def release(self, user: str) -> None:
        """Free a slot for which no connection was made."""
        with self._lock:
            self._release(user)

    def add(self, connection: Connection) -> None:
        """Use a reserved slot."""
        with self._lock:
            self._open.add(connection)
            if not self._is_checking:
                self._is_checking = True
                threading.Thread(target=self._check, name="connections-check", daemon=True).start()

    def remove(self, connection: Connection) -> None:
        """Close a connection and free its slot; doing so again does nothing."""
        connection.close()
        with self._lock:
            if connection in self._open:
                self._open.discard(connection)
                self._release(connection.user)

    def end_session(self, session: str) -> None:
        """Close the connections of a session: its user signed out, and the next one may sit at the same browser."""
        with self._lock:
            ended = [connection for connection in self._open if session and connection.session == session]
        for connection in ended:
            connection.close()

    def begin_shutdown(self) -> None:
        """Wait no longer than a second for clients that do not read."""
        self._is_shutting_down = True

    def _release(self, user: str) -> None:
        self._reserved -= Counter({user: 1})

    def _check(self) -> None:
        while True:
            time.sleep(_CHECK_SECONDS)
            with self._lock:
                connections = list(self._open)
                if not connections:
                    self._is_checking = False
                    return
            limits = self.limits
            for connection in connections:
                connection.check(limits.shutdown_stall_seconds if self._is_shutting_down else limits.stall_seconds)
