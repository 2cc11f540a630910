"""The viewer's worker with two threads: no client that is silent, slow or many holds one."""

import contextlib
import hashlib
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from tests.support.web_server.app import PAGE, STREAM_PART
from tests.support.web_server.process import (
    CONNECTIONS,
    THREADS,
    WebServer,
    read_answer,
    request,
    rest_of,
    status_of,
    web_server,
)

MANY = 10 * THREADS
# Clients that hold the threads for the test server's limits, 1.5 s and more, one after the other: they delay an answer
# by 15 s. A busy machine delays one by less.
AT_ONCE_SECONDS = 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("worker") / "output.txt") as found:
        yield found


@pytest.fixture
def clients() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


CHUNKED = request("/body", "Transfer-Encoding: chunked", method="POST")
HALVES = {
    "nothing": "",
    "one byte": "G",
    "half of a head": "GET / HTTP/1.1\r\nHost: h\r\n",
    "half of a body": request("/body", "Content-Length: 60000", method="POST") + "username=",
    "a length of many digits": request("/body", "Content-Length: 0000000000000000000065", method="POST"),
    "half of a chunk": CHUNKED + "ff\r\nusername=",
    "a chunk size of many digits": CHUNKED + "0000000000000000a\r\n",
    "a long chunk extension": CHUNKED + "1;" + "a" * 1100,
    "a chunk size without CR": CHUNKED + "5\n",
    "a body of tiny chunks": CHUNKED + "1\r\na\r\n" * 3_000,
}


@pytest.mark.parametrize("half", HALVES)
def test_half_requests_hold_no_thread(server: WebServer, clients: contextlib.ExitStack, half: str) -> None:
    held = [clients.enter_context(server.connect(HALVES[half])) for _ in range(MANY)]
    assert max(server.seconds_for() for _ in range(5)) < AT_ONCE_SECONDS
    for client in held:
        with contextlib.suppress(ConnectionError):  # the time of the first ones may be over
            client.sendall(b"x")
    assert server.seconds_for() < AT_ONCE_SECONDS


def test_half_request_is_refused_when_its_time_is_over(server: WebServer, clients: contextlib.ExitStack) -> None:
    client = clients.enter_context(server.connect(HALVES["half of a body"]))
    status, sentence = read_answer(client)
    assert (status, sentence) == (408, b"The request did not arrive within 10 seconds. Send it again.\n")
    assert client.recv(1) == b""


def test_long_body_that_stops_holds_its_thread_for_a_bounded_time(
    server: WebServer, clients: contextlib.ExitStack
) -> None:
    half = request("/body", "Content-Length: 100000", method="POST") + "x" * 1000
    held = [clients.enter_context(server.connect(half)) for _ in range(THREADS)]
    assert server.seconds_for() < 4
    for client in held:
        assert not rest_of(client).startswith(b"HTTP/1.1 200")


def test_clients_that_do_not_read_an_answer_hold_no_thread(server: WebServer, clients: contextlib.ExitStack) -> None:
    slow = [clients.enter_context(server.connect(request("/page"), receive_buffer=4096)) for _ in range(MANY)]
    assert max(server.seconds_for() for _ in range(5)) < AT_ONCE_SECONDS
    assert read_answer(slow[0]) == (200, PAGE)
    slow[0].sendall(request("/again").encode())
    assert read_answer(slow[0]) == (200, b"/again")


def test_clients_that_do_not_read_a_stream_are_cut(server: WebServer, clients: contextlib.ExitStack) -> None:
    streams = [clients.enter_context(server.connect(request("/stream"), receive_buffer=4096)) for _ in range(THREADS)]
    assert server.seconds_for() < 5
    assert not rest_of(streams[0]).endswith(b"0\r\n\r\n"), "the cut stream looks complete"
    with contextlib.closing(server.connect(request("/stream"))) as reader:
        assert read_answer(reader) == (200, STREAM_PART * 200)
    assert "Traceback" not in server.output.read_text()


def test_clients_that_do_not_close_delay_no_other(server: WebServer, clients: contextlib.ExitStack) -> None:
    held = [clients.enter_context(server.connect(request("/ok", "Connection: close"))) for _ in range(MANY)]
    assert server.seconds_for() < AT_ONCE_SECONDS
    assert {status_of(client) for client in held} == {200}


def test_refusal_reaches_a_client_that_still_sends_its_body(server: WebServer, clients: contextlib.ExitStack) -> None:
    head = request("/refuse", "Content-Length: 20000000", method="POST")
    senders = [clients.enter_context(server.connect(head)) for _ in range(MANY)]
    for client in senders[:3]:
        with contextlib.suppress(ConnectionError):
            for _ in range(5):
                client.sendall(b"x" * 1_000_000)
        assert read_answer(client) == (413, b"too large")
    assert server.seconds_for() < AT_ONCE_SECONDS


def test_pipelined_requests_are_answered_in_their_order(server: WebServer, clients: contextlib.ExitStack) -> None:
    body = request("/body", "Content-Length: 5", method="POST") + "hello"
    last = request("/last", "Connection: close")
    client = clients.enter_context(server.connect(request("/first") + body + request("/third") + last[:20]))
    client.sendall(last[20:].encode())
    bodies = re.findall(rb"\r\n\r\n([^\r]*?)(?=HTTP/1.1|$)", rest_of(client))
    assert bodies == [b"/first", f"5 {hashlib.sha256(b'hello').hexdigest()}".encode(), b"/third", b"/last"]


@pytest.mark.parametrize("length", [1, 65_536, 65_537, 3_000_000])
def test_body_arrives_whole(server: WebServer, clients: contextlib.ExitStack, length: int) -> None:
    body = b"ab" * (length // 2) + b"c" * (length % 2)
    client = clients.enter_context(server.connect(request("/body", f"Content-Length: {length}", method="POST")))
    client.sendall(body)
    assert read_answer(client) == (200, f"{length} {hashlib.sha256(body).hexdigest()}".encode())


@pytest.mark.parametrize("size", [10, 200_000])
def test_body_in_chunks_arrives_whole(server: WebServer, clients: contextlib.ExitStack, size: int) -> None:
    client = clients.enter_context(server.connect(request("/body", "Transfer-Encoding: chunked", method="POST")))
    client.sendall(b"%x\r\n%s\r\n3\r\nabc\r\n0\r\n\r\n" % (size, b"x" * size))
    assert read_answer(client)[1].startswith(f"{size + 3} ".encode())


def test_client_that_waits_for_100_continue_gets_it(server: WebServer, clients: contextlib.ExitStack) -> None:
    head = request("/body", "Content-Length: 5", "Expect: 100-continue", method="POST")
    client = clients.enter_context(server.connect(head))
    assert client.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"hello")
    assert status_of(client) == 200


def test_endless_head_is_refused(server: WebServer, clients: contextlib.ExitStack) -> None:
    client = clients.enter_context(server.connect("GET / HTTP/1.1\r\n"))
    client.sendall(b"x: y\r\n" * 12_000)
    assert status_of(client) == 431


def test_endless_chunk_sizes_are_refused(server: WebServer, clients: contextlib.ExitStack) -> None:
    client = clients.enter_context(server.connect(CHUNKED + "1\r\na\r\n" * 4_000))
    assert status_of(client) == 413


def test_requests_that_wait_for_a_thread_share_memory(server: WebServer, clients: contextlib.ExitStack) -> None:
    waiting = request("/ok", "Content-Length: 60000", method="POST") + "x" * 60_000
    slow = [clients.enter_context(server.connect(request("/slow"))) for _ in range(THREADS)]
    many = [clients.enter_context(server.connect(waiting)) for _ in range(30)]
    assert [status_of(client) for client in slow] == [200] * THREADS
    statuses = [status_of(client) for client in many]
    assert statuses == sorted(statuses)
    assert set(statuses) == {200, 503}
    assert server.seconds_for() < 0.5, "the memory is free again"


def test_strangers_that_wait_for_a_thread_share_memory(server: WebServer, clients: contextlib.ExitStack) -> None:
    waiting = (request("/ok", "Content-Length: 60000", method="POST") + "x" * 60_000).replace("Cookie", "X-Cookie")
    slow = clients.enter_context(server.connect(request("/slow").replace("Cookie", "X-Cookie")))
    many = [clients.enter_context(server.connect(waiting)) for _ in range(30)]
    with contextlib.suppress(ConnectionResetError):
        assert many[0].recv(1) == b"", "the oldest is closed"
    assert (status_of(slow), status_of(many[-1])) == (200, 200)


def test_more_connections_than_allowed_close_idle_ones(server: WebServer, clients: contextlib.ExitStack) -> None:
    idle = [clients.enter_context(server.connect()) for _ in range(CONNECTIONS + 20)]
    assert server.seconds_for() < AT_ONCE_SECONDS
    assert idle[0].recv(1) == b"", "the oldest is closed"


def test_strangers_leave_threads_for_a_session(server: WebServer, clients: contextlib.ExitStack) -> None:
    stranger = request("/slow").replace("Cookie", "X-Cookie")
    waiting = [clients.enter_context(server.connect(stranger)) for _ in range(3)]
    assert server.seconds_for() < AT_ONCE_SECONDS
    answered, _, _ = select.select(waiting, [], [], 0)
    assert len(answered) < 2, "strangers took both threads, and a request with a session waited for them"
    assert [status_of(client) for client in waiting] == [200] * 3


def test_worker_ends_in_time_with_half_requests(tmp_path: Path, clients: contextlib.ExitStack) -> None:
    with web_server(tmp_path / "output.txt") as server:
        for half in HALVES.values():
            clients.enter_context(server.connect(half))
        reader = clients.enter_context(server.connect(request("/slow")))
        wait_until(lambda: server.seconds_for() < 2, "an answer beside it")
        assert server.terminate() < 6
        assert status_of(reader) == 200
        assert server.process.returncode == 0
        assert "Traceback" not in server.output.read_text()
