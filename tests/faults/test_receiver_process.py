"""The receiver's process: forks, a blocked log, memory under unwanted bodies, and malformed messages."""

import http.client
import itertools
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.ports import answers
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ROOT, ReceiverProcess
from tests.support.receiver.push import claims, envelope, push_body
from tests.support.waiting import wait_until

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with local_firestore() as address:
        yield address


@pytest.fixture
def reader(store: str) -> Iterator[Reader]:
    one = Reader(store)
    yield one
    one.close()


@pytest.fixture(scope="module")
def shared(store: str, keys: KeyServer) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(store, keys.url).start()
    yield process
    process.close()


@pytest.fixture
def receiver(store: str, keys: KeyServer) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(store, keys.url).start()
    yield process
    process.close()


def test_idle_connection_takes_the_next_push(shared: ReceiverProcess, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=10)
    try:
        assert push_on(connection, "idle-1", token) == 204
        readable, _, _ = select.select([connection.sock], [], [], 2.5)
        assert not readable, "the receiver closed the idle connection"
        assert push_on(connection, "idle-2", token) == 204
    finally:
        connection.close()


def push_on(connection: http.client.HTTPConnection, message_id: str, token: str) -> int:
    connection.request("POST", "/", push_body(message_id), {"Authorization": f"Bearer {token}"})
    with connection.getresponse() as reply:
        return reply.status


@pytest.mark.parametrize("support", [None, "0", "1"])
def test_forked_worker_answers_at_once(store: str, keys: KeyServer, token: str, support: str | None) -> None:
    extra = {"WORKERS": "2"} | ({"GRPC_ENABLE_FORK_SUPPORT": support} if support else {})
    process = ReceiverProcess(store, keys.url, extra=extra).start()
    try:
        wait_until(lambda: len(process.workers()) == 2, "two workers", 20)
        slowest = 0.0
        for number in range(50):
            start = time.monotonic()
            assert process.push(push_body(f"fork-{support}-{number}"), token).status == 204
            slowest = max(slowest, time.monotonic() - start)
        assert slowest < 2
        dead = process.workers()[0]
        os.kill(dead, signal.SIGKILL)
        wait_until(lambda: dead not in process.workers() and len(process.workers()) == 2, "a new worker", 20)
        for number in range(50):
            assert process.push(push_body(f"fork-{support}-{number}"), token).status == 204
    finally:
        process.close()


@pytest.mark.parametrize("log", ["blocked", "closed", "full"])
def test_blocked_log_does_not_delay_answers(store: str, keys: KeyServer, token: str, log: str) -> None:
    template = ReceiverProcess(store, keys.url)
    read_end, write_end = os.pipe()
    target = os.open("/dev/full", os.O_WRONLY) if log == "full" else write_end
    command = [str(Path(sys.executable).parent / "functions-framework"), "--target", "receive", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(template.port), "--source", str(ROOT / "main.py")],
        cwd=ROOT,
        env=template.environment(),
        stdout=target,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(target)
    if log == "closed":
        os.close(read_end)
    try:
        wait_until(lambda: answers(template.port), "the receiver's start", 20)
        # A pipe holds 64 KiB: far less than these lines.
        for _ in range(600):
            assert template.push(push_body("x"), "no.token.x").status == 401
        start = time.monotonic()
        assert template.push(push_body(f"log-{log}"), token).status == 204
        assert time.monotonic() - start < 2
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
        if log != "closed":
            os.close(read_end)
        if log == "full":
            os.close(write_end)
        template.close()


RESET = 0


def _pour(port: int, token: str, megabytes: int) -> int:
    """Send a whole body; return the status that the client sees, or RESET."""
    head = (
        f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\nContent-Length: {megabytes * MEGABYTE}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(head.encode())
            for _ in range(megabytes):
                connection.sendall(b"x" * MEGABYTE)
            return int(connection.recv(100).split()[1])
        except ConnectionError:
            return RESET


def _pour_many(receiver: ReceiverProcess, token: str, megabytes: int, pourers: int) -> list[int]:
    with ThreadPoolExecutor(pourers) as pool:
        return list(pool.map(lambda _: _pour(receiver.port, token, megabytes), range(pourers)))


def test_bodies_without_a_valid_token_are_not_read(receiver: ReceiverProcess, token: str) -> None:
    assert receiver.push(push_body("before"), token).status == 204
    before = receiver.rss_bytes()
    assert set(_pour_many(receiver, "a.b.c", 30, 8)) <= {401, RESET}
    assert receiver.peak_rss_bytes() - before < 20 * MEGABYTE
    assert receiver.push(push_body("after"), token).status == 204


@pytest.mark.parametrize(("status", "megabytes", "pourers"), [(403, 13, 10), (413, 16, 4), (413, 30, 4)])
def test_too_large_body_with_a_valid_token_is_dropped_and_refused(
    receiver: ReceiverProcess, signer: Signer, token: str, status: int, megabytes: int, pourers: int
) -> None:
    assert receiver.push(push_body("before"), token).status == 204
    before = receiver.rss_bytes()
    refused = signer.sign(claims(aud="https://other.example")) if status == 403 else token
    assert _pour_many(receiver, refused, megabytes, pourers) == [status] * pourers
    assert receiver.peak_rss_bytes() - before < 20 * MEGABYTE
    assert receiver.push(push_body("after"), token).status == 204


def test_refusal_waits_at_most_a_second_for_a_missing_body(shared: ReceiverProcess, signer: Signer) -> None:
    foreign, start = signer.sign(claims(aud="https://other.example")), time.monotonic()
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {foreign}\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 403 " in connection.recv(100)
    assert 0.9 < time.monotonic() - start < 3


MAX_PUSHES = 5


@pytest.mark.slow
@pytest.mark.parametrize(("size", "pushers"), [(9_900_000, 16), (3_600_000, 12)])
def test_large_messages_stay_within_memory_and_small_ones_pass(
    receiver: ReceiverProcess, reader: Reader, token: str, size: int, pushers: int
) -> None:
    data = os.urandom(size)
    waits: list[float] = []
    ended = threading.Event()

    def small() -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            start = time.monotonic()
            assert receiver.push(push_body(f"beside-{size}-{number}"), token).status == 204
            waits.append(time.monotonic() - start)
            time.sleep(0.05)

    def large(number: int) -> int:
        # A push that finds no room within its budget gets 503, and Pub/Sub sends it again.
        for _ in range(MAX_PUSHES):
            status = receiver.push(push_body(f"large-{size}-{number}", data), token).status
            if status != 503:
                break
        return status

    with ThreadPoolExecutor(pushers) as pool:
        beside = pool.submit(small)
        try:
            assert set(pool.map(large, range(60))) == {204}
        finally:
            ended.set()
        beside.result()
    assert receiver.peak_rss_bytes() < 250 * MEGABYTE, "without a limit, sixteen bodies take 330 MB"
    assert statistics.quantiles(waits, n=20)[-1] < 1, "the 95th percentile of small messages beside them, in seconds"
    stored = reader.messages()
    assert reader.payload(stored[f"large-{size}-59"]) == data


POISON: dict[str, dict[str, object]] = {
    "names": {"attributes": {"__x__": "", "": "e", "a.b": "`", "%5F": "%", "ключ": "☃", "\x00": "\x7f"}},
    "hundred": {"attributes": {f"{number:03}" + "k" * 253: "v" * 1024 for number in range(100)}},
    "cyrillic": {"attributes": {f"{number:03}" + "ж" * 126: "й" * 512 for number in range(100)}},
    "../../users/admin": {},
    "__x__": {},
    "key": {"orderingKey": "k" * 1024, "ordering_key": "k" * 1024},
    "past": {"publishTime": "0001-01-01T00:00:00Z", "publish_time": "0001-01-01T00:00:00Z"},
    "future": {"publishTime": "9999-12-31T23:59:59.999999Z", "publish_time": "9999-12-31T23:59:59.999999Z"},
}
PAYLOADS = (b"", b"\xff\xfe\x00", b"{" * 15_000, b'{"a":"\\ud800"}', b"x" * 1_100_000)


@pytest.mark.parametrize("poison", POISON)
def test_odd_messages_are_stored_beside_their_neighbours(
    shared: ReceiverProcess, reader: Reader, token: str, poison: str
) -> None:
    odd = {f"{poison}-{number}" if number else poison: data for number, data in enumerate(PAYLOADS)}
    bodies = [json.dumps(_changed(message_id, data, POISON[poison])).encode() for message_id, data in odd.items()]
    bodies += [push_body(f"neighbour-of-{poison}-{number}") for number in range(11)]
    with ThreadPoolExecutor(8) as pushers:
        assert set(pushers.map(lambda body: shared.push(body, token).status, bodies)) == {204}
    stored = reader.messages()
    assert {message_id: reader.payload(stored[message_id]) for message_id in odd} == odd


def _changed(message_id: str, data: bytes, changes: Mapping[str, object]) -> dict[str, object]:
    whole = envelope(message_id, data)
    whole["message"].update(changes)
    return whole


def test_invalid_envelopes_are_refused_and_their_neighbours_stored(
    shared: ReceiverProcess, reader: Reader, signer: Signer
) -> None:
    bodies = [push_body("good-1"), b"[" * 50_000, push_body("good-2"), b"\xff", json.dumps({"message": {}}).encode()]
    with ThreadPoolExecutor(5) as pushers:
        found = list(pushers.map(lambda body: shared.push(body, signer.sign(claims())).status, bodies))
    assert found == [204, 400, 204, 400, 400]
    assert {"good-1", "good-2"} <= set(reader.messages())
