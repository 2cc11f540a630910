"""Open connections of the stream: their slots, and the watch over clients that vanished or do not read.

One thread looks once a second at all of them, while there are any. A stream's own thread cannot: it sleeps until there
is something to send, or it is stuck in sending.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from web.live.client_feed import ClientFeed

# What a client has not read waits in the kernel; left to itself, that grows to megabytes for each.
_SEND_BUFFER_BYTES = 256 * 1024
_LOOK_SECONDS = 1.0
# One person's share: a quarter of all, but enough for a desk full of tabs.
SHARES = 4
MIN_SHARE = 10


@dataclass(frozen=True)
class ConnectionLimits:
    """How long things may take."""

    keep_alive_seconds: float = 15.0
    stall_seconds: float = 30.0
    # At the end of the process; SIGKILL comes ten seconds after SIGTERM.
    shutdown_stall_seconds: float = 1.0
    session_seconds: float = 60.0
    # Cloud Run ends a request after an hour at most (cloud.google.com/run/docs/configuring/request-timeout).
    life_seconds: float = 50 * 60.0


class Connection:
    """One client's response body: frames, a pulse while there are none, and the reasons to end."""

    def __init__(
        self,
        who: str,
        watcher: ClientFeed,
        is_valid: Callable[[], bool],
        connection: socket.socket | None,
        limits: ConnectionLimits,
    ) -> None:
        self.who = who
        now = time.monotonic()
        self._watcher, self._is_valid, self._connection, self._limits = watcher, is_valid, connection, limits
        self._pulse_at = now + limits.keep_alive_seconds
        self._check_at = now + limits.session_seconds
        self._end_at = now + limits.life_seconds
        if connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._sending_since: float | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._sending_since = None
        while not self._watcher.ended and self._may_go_on():
            due = min(self._pulse_at, self._check_at, self._end_at)
            chunk = self._watcher.poll(max(0.0, due - time.monotonic()))
            if not chunk and time.monotonic() >= self._pulse_at:
                chunk = self._watcher.keep_alive()
            if chunk:
                self._sending_since = time.monotonic()
                self._pulse_at = self._sending_since + self._limits.keep_alive_seconds
                return chunk
        raise StopIteration

    def close(self) -> None:
        """The client left, or the server ends the response."""
        self._watcher.close()

    def look(self, stall_seconds: float) -> None:
        """End it when the client vanished, cut it when the client has not read for so long. From any thread."""
        sending_since = self._sending_since
        if sending_since is not None and time.monotonic() - sending_since > stall_seconds:
            self._cut()
        elif self._is_gone():
            self._watcher.close()

    def _may_go_on(self) -> bool:
        now = time.monotonic()
        if now >= self._end_at:
            return False
        if now < self._check_at:
            return True
        self._check_at = now + self._limits.session_seconds
        return self._is_valid()

    def _cut(self) -> None:
        self._watcher.close()
        if self._connection:
            try:
                # A socket timeout would do, but gunicorn logs that with a traceback; a broken pipe is nothing special.
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed meanwhile

    def _is_gone(self) -> bool:
        if self._connection is None:
            return False
        try:
            return not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


class ConnectionLimitError(Exception):
    """No slot is free. The sentence says whose slots are taken and what to do."""


class Connections:
    """All open streams of the process: at most ``most``, and of one person a fair share of them."""

    def __init__(self, most: int) -> None:
        self.limits = ConnectionLimits()
        self._most = most
        self._share = min(most, max(MIN_SHARE, most // SHARES))
        self._hurried = False
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._taken: Counter[str] = Counter()
        self._looking = False

    def __len__(self) -> int:
        return self._taken.total()

    def reserve(self, who: str) -> None:
        """Take a slot for a person. Raises ConnectionLimitError."""
        with self._lock:
            if len(self) >= self._most:
                raise ConnectionLimitError("All live streams are taken. Close a page, or try again.")
            if self._taken[who] >= self._share:
                raise ConnectionLimitError(
                    f"You have {self._share} live streams open, the most for one person. Close a page."
                )
            self._taken[who] += 1

    def release(self, who: str) -> None:
        """Give a slot back that no stream came to fill."""
        with self._lock:
            self._release(who)

    def add(self, stream: Connection) -> None:
        """Fill a reserved slot."""
        with self._lock:
            self._open.add(stream)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="streams-look", daemon=True).start()

    def remove(self, stream: Connection) -> None:
        """Close a stream and free its slot; any number of times."""
        stream.close()
        with self._lock:
            if stream in self._open:
                self._open.discard(stream)
                self._release(stream.who)

    def _release(self, who: str) -> None:
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]

    def hurry(self) -> None:
        """The process is going away: do not wait for clients that do not read."""
        self._hurried = True

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                streams = list(self._open)
                if not streams:
                    self._looking = False
                    return
            for stream in streams:
                stream.look(self.limits.shutdown_stall_seconds if self._hurried else self.limits.stall_seconds)
