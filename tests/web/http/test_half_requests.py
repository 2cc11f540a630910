"""Clients that send half of a request, at the viewer as production serves it, with few threads."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import HttpClient, Server, served

STREAMS = 3
HALF_REQUESTS = 60
HALVES = {
    "headers": "GET /messages HTTP/1.1\r\nHost: h\r\n",
    "sign-in": "POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nusername=",
    "long form": "POST /publish HTTP/1.1\r\nHost: h\r\nContent-Length: 14000000\r\n\r\nusername=",
    "chunks": "POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nusername=",
    "long chunks": "POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
    f"Content-Type: application/x-www-form-urlencoded\r\n\r\nfffff\r\nusername={'x' * 70_000}",
}
HELD_SECONDS = 10  # a half request is refused after this time


@pytest.fixture(scope="module")
def server(firestore: LocalFirestore, writer: Writer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a viewer with 43 threads."""
    directory = tmp_path_factory.mktemp("half")
    with served(firestore.address, writer, directory, MAX_STREAMS=str(STREAMS)) as found:
        yield found


@pytest.mark.parametrize("half", HALVES)
def test_pages_and_probe_answer_beside_half_requests_and_streams(server: Server, half: str) -> None:
    with contextlib.ExitStack() as stack:
        streams = [HttpClient(server) for _ in range(STREAMS)]
        for stream in streams:
            stack.callback(stream.close)
        for _ in range(HALF_REQUESTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            client.sendall(HALVES[half].encode())
        for path in ("/messages", "/healthz", "/help"):
            began = time.monotonic()
            assert server.status(path) == 200
            assert time.monotonic() - began < HELD_SECONDS / 2, f"{path} waited for half requests"
