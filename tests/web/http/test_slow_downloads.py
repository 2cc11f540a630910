"""Clients that download large payloads and do not read, at the viewer as production serves it."""

import contextlib
import hashlib
import http.client
import json
import os
import socket
from collections.abc import Iterator

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import Server, served
from tests.support.waiting import wait_until

PAYLOAD_BYTES = 6_000_000
AT_ONCE = 2  # one person's part of the memory (tests/support/viewer/hasty.py)
CLIENTS = 8


@pytest.fixture(scope="module")
def payload() -> bytes:
    return os.urandom(PAYLOAD_BYTES)


@pytest.fixture(scope="module")
def document(writer: Writer, payload: bytes) -> str:
    return writer.large(payload, kind="binary")


@pytest.fixture(scope="module")
def server(firestore: LocalFirestore, writer: Writer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("downloads")
    app = "tests.support.viewer.hasty:small_memory()"
    with served(firestore.address, writer, directory, app, MAX_STREAMS="4") as found:
        yield found


def begin(server: Server, path: str) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", server.port))
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: subscope={server.cookie}", "Accept: application/json")
    client.sendall("\r\n".join((*lines, "", "")).encode())
    return client


def answer(client: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(client)
    response.begin()
    return response


@pytest.mark.parametrize("path", ["/messages/{}/data", "/api/v1/messages/{}/data", "/api/v1/messages/{}"])
def test_slow_downloads_cost_bounded_memory_and_no_page(server: Server, document: str, path: str) -> None:
    path = path.format(document)
    assert server.status(path) == 200
    before = server.rss_bytes()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(begin(server, path)) for _ in range(CLIENTS)]
        answers = [stack.enter_context(answer(client)) for client in clients]
        assert sorted(one.status for one in answers) == [200] * AT_ONCE + [503] * (CLIENTS - AT_ONCE)
        refused = next(one for one in answers if one.status == 503)
        assert refused.headers["Retry-After"] == "5"
        error = json.loads(refused.read())["error"]
        assert error["detail"] == "You have too many payloads in use. End other downloads, or try again in a moment."
        assert server.rss_bytes() - before < AT_ONCE * PAYLOAD_BYTES
        assert server.status("/messages") == 200
    wait_until(lambda: server.status(path) == 200, "the memory of clients that left", 10)


def test_payload_in_chunks_arrives_whole(server: Server, document: str, payload: bytes) -> None:
    with contextlib.closing(server.request(f"/messages/{document}/data")) as found:
        assert found.response.headers["Content-Length"] == str(PAYLOAD_BYTES)
        assert hashlib.sha256(found.response.read()).digest() == hashlib.sha256(payload).digest()
