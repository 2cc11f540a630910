"""The time that a thread may wait for a request."""

import socket
import time
from collections.abc import Iterator

import pytest

from infra.web_server.client_socket import ClientSocket


@pytest.fixture
def client() -> Iterator[tuple[ClientSocket, socket.socket]]:
    accepted, far_end = socket.socketpair()
    with ClientSocket.adopt(accepted) as ours, far_end:
        yield ours, far_end


@pytest.mark.parametrize("sent", [b"", b"more"])
def test_thread_with_a_complete_request_cannot_read(client: tuple[ClientSocket, socket.socket], sent: bytes) -> None:
    ours, far_end = client
    far_end.sendall(sent)
    ours.begin_request(0)
    ours.begin_request(None)
    began = time.monotonic()
    with pytest.raises(ConnectionResetError):
        ours.recv(10)
    assert time.monotonic() - began < 1


def test_thread_with_a_long_body_reads_it(client: tuple[ClientSocket, socket.socket]) -> None:
    ours, far_end = client
    ours.begin_request(4)
    far_end.sendall(b"more")
    assert ours.recv(10) == b"more"
