"""The worker in a process of gunicorn, with two threads and room for sixty connections."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.measuring import measuring_environ
from tests.support.ports import answers, free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
THREADS, CONNECTIONS = 2, 60
APP = "tests.support.web_server.app:app"
SESSION = "Cookie: subscope=x\r\n"


class WebServer:
    """A running gunicorn."""

    def __init__(self, output: Path) -> None:
        self.port, self.output = free_port(), output
        worker = ["--worker-class", "infra.web_server.worker.GuardedWorker", "--threads", str(THREADS)]
        limits = [
            "--worker-connections",
            str(CONNECTIONS),
            "--keep-alive",
            "75",
            "--graceful-timeout",
            "6",
            "--no-control-socket",
        ]
        with output.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *worker, *limits, "--bind", f"127.0.0.1:{self.port}", APP],
                cwd=ROOT,
                env={**os.environ, **measuring_environ()},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: answers(self.port), "the server's start", 20)

    def connect(self, sent: str | bytes = b"", receive_buffer: int = 0) -> socket.socket:
        """Open a connection and send bytes as they are."""
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(10)
        client.connect(("127.0.0.1", self.port))
        client.sendall(sent.encode() if isinstance(sent, str) else sent)
        return client

    def seconds_for(self, path: str = "/ok") -> float:
        """Return the seconds until an answer of a request with a session."""
        began = time.monotonic()
        with contextlib.closing(self.connect(request(path))) as client:
            assert status_of(client) == 200
        return time.monotonic() - began

    def terminate(self) -> float:
        """Send SIGTERM; return the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


def request(path: str, *headers: str, method: str = "GET") -> str:
    """Return the bytes of a request with a session."""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n{SESSION}" + "".join(f"{line}\r\n" for line in headers) + "\r\n"


def read_answer(client: socket.socket) -> tuple[int, bytes]:
    """Return the status and the body of the next answer."""
    answer = http.client.HTTPResponse(client)
    answer.begin()
    return answer.status, answer.read()


def status_of(client: socket.socket) -> int:
    return read_answer(client)[0]


def rest_of(client: socket.socket) -> bytes:
    """Read until the server closes."""
    return b"".join(iter(lambda: client.recv(65536), b""))


@contextlib.contextmanager
def web_server(output: Path) -> Iterator[WebServer]:
    """Run the server."""
    server = WebServer(output)
    try:
        yield server
    finally:
        server.close()
