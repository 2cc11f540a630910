"""Headers that are many, long, slow or missing, before any token: refused cheaply, without delay for pushes.

Endless headers are not tested: Cloud Run's front end bounds them, the web server does not.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.firestore.servers import local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import push_body
from tests.support.waiting import wait_until

MEGABYTE = 1_000_000
IDLE, SLOW = 200, 20
FORM = "POST / HTTP/1.1\r\nHost: r\r\nContent-Length: 0\r\n"
ODD = {
    "hundred headers": FORM + "".join(f"x-{number}: y\r\n" for number in range(100)),
    "ten thousand headers": FORM + "".join(f"x-{number}: y\r\n" for number in range(10_000)),
    "a header of 64 KB": FORM + "x: " + "y" * 65_536 + "\r\n",
    "a token of 64 KB": FORM + "Authorization: Bearer " + "y" * 65_536 + "\r\n",
    "an address of 2 MB": FORM.replace("/ ", f"/{'y' * 2_000_000} ", 1),
}


@pytest.fixture(scope="module")
def receiver(keys: KeyServer) -> Iterator[ReceiverProcess]:
    with local_firestore() as store:
        process = ReceiverProcess(store, keys.url).start()
        yield process
        process.close()


def status_of(port: int, head: str) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(OSError):  # the server may answer before it has read everything
            connection.sendall(head.encode() + b"\r\n")
        return int(connection.recv(100).split()[1])


@pytest.mark.parametrize("odd", ODD)
def test_odd_headers_are_refused_cheaply(receiver: ReceiverProcess, token: str, odd: str) -> None:
    assert receiver.push(push_body("before"), token).status == 204
    before = receiver.rss_bytes()
    assert {status_of(receiver.port, ODD[odd]) for _ in range(10)} <= {400, 401, 414, 431}
    assert receiver.rss_bytes() - before < 20 * MEGABYTE
    assert receiver.push(push_body("after"), token).status == 204


def test_silent_or_slow_connections_delay_no_push(receiver: ReceiverProcess, token: str) -> None:
    assert receiver.push(push_body("before"), token).status == 204
    before, ended = receiver.rss_bytes(), threading.Event()
    sent = [0] * SLOW

    def drip(number: int) -> None:
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=5) as connection:
            for byte in FORM.encode() * 100:
                with contextlib.suppress(OSError):
                    sent[number] += connection.send(bytes([byte]))
                if ended.wait(0.2):  # faster than an attacker has to be
                    return

    drippers = [threading.Thread(target=drip, args=(number,)) for number in range(SLOW)]
    with contextlib.ExitStack() as stack:
        for one in drippers:
            stack.callback(one.join, 5)
        stack.callback(ended.set)
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=5))
        for one in drippers:
            one.start()
        wait_until(lambda: min(sent) > 5, "the first bytes of every slow header", 20)
        for number in range(50):
            start = time.monotonic()
            assert receiver.push(push_body(f"beside-{number}"), token).status == 204
            assert time.monotonic() - start < 2
        assert receiver.rss_bytes() - before < 20 * MEGABYTE
