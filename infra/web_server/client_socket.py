"""The socket of a client: a thread that reads from it or writes to it waits for a bounded time."""

import contextlib
import errno
import select
import socket
import time
from typing import Any

READ_SECONDS = 10.0
SEND_SECONDS = 30.0
# A body that only a thread can read must arrive at this rate on average: 15 MB within two minutes.
READ_BYTES_PER_SECOND = 128 * 1024
# A client must read this much within SEND_SECONDS: 70 kbit/s.
_PIECE_BYTES = 256 * 1024


class ClientSocket(socket.socket):
    """A connection. Too slow a client ends with the errors of a client that left, which gunicorn does not log."""

    _read_until: float | None = None

    @classmethod
    def adopt(cls, accepted: socket.socket) -> "ClientSocket":
        """Take over an accepted connection."""
        return cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())

    def begin_request(self, missing_bytes: int | None) -> None:
        """Set the time for all reads of a thread; ``missing_bytes`` are those still to come.

        None means that the whole request has arrived. If gunicorn's parser still reads, ``recv`` raises
        ConnectionResetError at once.
        """
        self._read_until = None
        if missing_bytes is not None:
            self._read_until = time.monotonic() + READ_SECONDS + missing_bytes / READ_BYTES_PER_SECOND

    def receive(self, size: int) -> bytes | None:
        """Return what has arrived, without waiting: None if nothing has, empty if the client closed or left."""
        try:
            return super().recv(size, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def send_some(self, data: memoryview) -> int:
        """Send what the kernel takes, without waiting; return its length. Raises OSError when the client left."""
        try:
            return self.send(data, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0

    def try_to_send(self, answer: bytes) -> None:
        """Send a short answer, if the client still takes one."""
        with contextlib.suppress(OSError):
            self.send(answer, socket.MSG_DONTWAIT)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive as a blocking socket does, until the request's time is over. Raises ConnectionResetError."""
        if flags:
            return super().recv(bufsize, flags)
        if self._read_until is None:
            raise ConnectionResetError(errno.ECONNRESET, "the request needs bytes that it did not declare")
        while True:
            try:
                return super().recv(bufsize, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                left = min(self._read_until - time.monotonic(), READ_SECONDS)
                if left <= 0 or not _wait(self, select.POLLIN, left):
                    raise ConnectionResetError(errno.ECONNRESET, "the request did not arrive in time") from None

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all as a blocking socket does, in pieces with a time for each. Raises BrokenPipeError."""
        left = memoryview(data).cast("B")
        while left:
            self._send_piece(left[:_PIECE_BYTES], flags)
            left = left[_PIECE_BYTES:]

    def _send_piece(self, piece: memoryview, flags: int) -> None:
        deadline: float | None = None
        while piece:
            try:
                piece = piece[self.send(piece, flags | socket.MSG_DONTWAIT) :]
            except (BlockingIOError, InterruptedError):
                now = time.monotonic()
                deadline = deadline or now + SEND_SECONDS
                if now >= deadline or not _wait(self, select.POLLOUT, deadline - now):
                    raise BrokenPipeError(errno.EPIPE, "the client does not read") from None


def _wait(client: socket.socket, event: int, seconds: float) -> bool:
    # Not a timeout of the socket: that would also delay the thread that looks whether a stream's client is gone.
    poll = select.poll()
    poll.register(client, event)
    return bool(poll.poll(seconds * 1000))
