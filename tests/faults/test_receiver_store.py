"""Firestore fails under the receiver: every acknowledged message is stored."""

import itertools
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from functions.batch_queue import SPARE_CALL_AFTER_SECONDS
from functions.receiver import BUDGET_SECONDS
from functions.rejections import TIMEOUT_SECONDS
from infra.local.token_signer import Signer
from tests.support.firestore.fault_proxy import FaultProxy, failing, losing_the_reply, passing, slow
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import FirestoreProcess
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import Answer, ReceiverProcess
from tests.support.receiver.push import claims, push_body
from tests.support.waiting import wait_until

Stage = tuple[ReceiverProcess, FaultProxy, Reader]


@pytest.fixture(scope="module")
def running(keys: KeyServer) -> Iterator[Stage]:
    firestore = FirestoreProcess()
    proxy = FaultProxy(firestore.address)
    receiver = ReceiverProcess(proxy.address, keys.url).start()
    reader = Reader(firestore.address)
    yield receiver, proxy, reader
    reader.close()
    receiver.close()
    proxy.close()
    firestore.close()


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    yield running
    running[1].always = passing
    running[1].queue = []
    running[1].calls = []


def timed(receiver: ReceiverProcess, body: bytes, token: str) -> tuple[Answer, float]:
    start = time.monotonic()
    answer = receiver.push(body, token)
    return answer, time.monotonic() - start


def test_outage_is_answered_at_once_and_loses_nothing(stage: Stage, token: str) -> None:
    receiver, proxy, reader = stage
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)
    with ThreadPoolExecutor(16) as pushers:
        results = list(pushers.map(lambda n: timed(receiver, push_body(f"outage-{n}"), token), range(64)))
    assert {answer.status for answer, _ in results} == {503}
    assert all(answer.headers["retry-after"].isdigit() for answer, _ in results)
    assert max(seconds for _, seconds in results) < 5
    proxy.always = passing
    assert [receiver.push(push_body(f"outage-{n}"), token).status for n in range(64)] == [204] * 64
    found = reader.messages()
    assert [found[f"outage-{n}"]["deliveries"] for n in range(64)] == [1] * 64


def test_restarted_firestore_is_used_again(keys: KeyServer, token: str) -> None:
    firestore = FirestoreProcess()
    receiver = ReceiverProcess(firestore.address, keys.url).start()
    try:
        assert receiver.push(push_body("before"), token).status == 204
        firestore.close()
        for _ in range(10):
            answer, seconds = timed(receiver, push_body("gone"), token)
            assert (answer.status, seconds < 5) == (503, True)
        firestore = FirestoreProcess(firestore.port)
        wait_until(lambda: receiver.push(push_body("gone"), token).status == 204, "the recovery", 5)
    finally:
        receiver.close()
        firestore.close()


@pytest.mark.slow
def test_frozen_firestore_is_given_up_within_the_budget(keys: KeyServer, token: str) -> None:
    firestore = FirestoreProcess()
    reader = Reader(firestore.address)
    receiver = ReceiverProcess(firestore.address, keys.url).start()
    try:
        assert receiver.push(push_body("before"), token).status == 204
        firestore.freeze()
        with ThreadPoolExecutor(8) as pushers:
            bodies = [push_body("frozen"), push_body("frozen-large", b"x" * 50_000)] * 4
            results = list(pushers.map(lambda body: timed(receiver, body, token), bodies))
        assert {answer.status for answer, _ in results} == {503}
        assert max(seconds for _, seconds in results) < BUDGET_SECONDS
        firestore.thaw()
        assert receiver.push(push_body("frozen"), token).status == 204
        assert receiver.push(push_body("frozen-large", b"x" * 50_000), token).status == 204
        assert set(reader.messages()) == {"before", "frozen", "frozen-large"}
    finally:
        receiver.close()
        reader.close()
        firestore.close()


@pytest.mark.slow
def test_large_messages_on_a_frozen_firestore_delay_no_others(keys: KeyServer, token: str) -> None:
    """A call's deadline does not hold while the connection's window is full; the receiver bounds each call."""
    firestore = FirestoreProcess()
    receiver = ReceiverProcess(firestore.address, keys.url).start()
    try:
        assert receiver.push(push_body("before"), token).status == 204
        firestore.freeze()
        bodies = [push_body(f"wide-{number}", b"x" * 16_000) for number in range(60)]
        bodies += [push_body(f"huge-{number}", b"x" * 4_500_000) for number in range(2)]
        with ThreadPoolExecutor(len(bodies)) as pushers:
            results = list(pushers.map(lambda body: timed(receiver, body, token), bodies))
        assert {answer.status for answer, _ in results} == {503}
        assert max(seconds for answer, seconds in results[:60]) < 16, "each push waits for at most two calls of 7 s"
        assert max(seconds for _, seconds in results) < BUDGET_SECONDS
        firestore.thaw()
        wait_until(lambda: receiver.push(push_body("after"), token).status == 204, "storing again", 20)
    finally:
        receiver.close()
        firestore.close()


@pytest.mark.slow
def test_push_without_room_for_its_body_sees_the_outage(keys: KeyServer, token: str) -> None:
    firestore = FirestoreProcess()
    receiver = ReceiverProcess(firestore.address, keys.url).start()
    try:
        assert receiver.push(push_body("before"), token).status == 204
        firestore.freeze()
        bodies = [push_body(f"roomless-{number}", b"x" * 9_900_000) for number in range(10)]
        with ThreadPoolExecutor(len(bodies)) as pushers:
            results = list(pushers.map(lambda body: timed(receiver, body, token), bodies))
        assert [answer.status for answer, _ in results] == [503] * len(bodies)
        assert max(seconds for _, seconds in results) < BUDGET_SECONDS
    finally:
        receiver.close()
        firestore.close()


@pytest.mark.slow
def test_slow_firestore_never_acknowledges_early(stage: Stage, token: str) -> None:
    receiver, proxy, reader = stage
    proxy.always = slow(20)
    answer, seconds = timed(receiver, push_body("slow"), token)
    assert (answer.status, seconds < BUDGET_SECONDS) == (503, True)
    proxy.always = passing
    assert receiver.push(push_body("slow"), token).status == 204
    # The late writes of the first delivery arrive now and change nothing.
    time.sleep(1)
    assert [one for one in reader.all("messages").values() if one["message_id"] == "slow"] != []
    assert len([one for one in reader.all("messages").values() if one["message_id"] == "slow"]) == 1


@pytest.mark.parametrize("code", ["ABORTED", "INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"])
def test_passing_failure_is_retried_and_acknowledged(stage: Stage, token: str, code: str) -> None:
    receiver, proxy, reader = stage
    proxy.queue = [failing(grpc.StatusCode[code])]
    assert receiver.push(push_body(f"once-{code}"), token).status == 204
    assert reader.messages()[f"once-{code}"]["deliveries"] == 1


def test_exhausted_quota_causes_few_calls(stage: Stage, token: str) -> None:
    receiver, proxy, _ = stage
    proxy.always = failing(grpc.StatusCode.RESOURCE_EXHAUSTED)
    for number in range(5):
        proxy.calls = []
        assert receiver.push(push_body(f"exhausted-{number}"), token).status == 503
        assert len(proxy.calls) <= 5


def test_lost_reply_is_counted_once_and_acknowledged(stage: Stage, token: str) -> None:
    receiver, proxy, reader = stage
    proxy.queue = [losing_the_reply()]
    assert receiver.push(push_body("lost-reply"), token).status == 204
    assert reader.messages()["lost-reply"]["deliveries"] == 1


DENIALS = ["PERMISSION_DENIED", "NOT_FOUND", "UNAUTHENTICATED", "FAILED_PRECONDITION", "ALREADY_EXISTS"]


@pytest.mark.parametrize("code", DENIALS)
def test_denied_write_is_logged_and_never_acknowledged(stage: Stage, token: str, code: str) -> None:
    receiver, proxy, reader = stage
    proxy.always = failing(grpc.StatusCode[code])
    assert receiver.push(push_body(f"denied-{code}"), token).status == 503
    wait_until(lambda: f"denied-{code}" in receiver.log_file.read_text(), "the log line", 20)
    [event] = [one for one in receiver.events() if one.get("message_id") == f"denied-{code}"]
    assert (event["severity"], event["reason"]) == ("ERROR", "store")
    proxy.always = passing
    assert receiver.push(push_body(f"denied-{code}"), token).status == 204
    assert f"denied-{code}" in reader.messages()


def test_rejection_that_cannot_be_recorded_is_answered_as_usual(stage: Stage, token: str) -> None:
    receiver, proxy, _ = stage
    proxy.always = failing(grpc.StatusCode.UNAVAILABLE)
    answer, seconds = timed(receiver, b"{", token)
    assert (answer.status, seconds < 3) == (400, True)


def test_slow_record_of_a_rejection_delays_no_answer(stage: Stage, signer: Signer) -> None:
    receiver, proxy, _ = stage
    elsewhere = signer.sign(claims(aud="https://other.example"))
    assert receiver.push(push_body("x"), elsewhere).status == 403
    time.sleep(1.1)  # at most one rejection a second is recorded
    proxy.queue = [slow(4)]
    answer, seconds = timed(receiver, push_body("x"), elsewhere)
    assert (answer.status, 1 < seconds < TIMEOUT_SECONDS) == (403, True)


@pytest.mark.parametrize("size", [5, 100_000])
def test_duplicates_in_sequence_and_at_once_make_one_document(stage: Stage, token: str, size: int) -> None:
    receiver, _, reader = stage
    data = os.urandom(size)
    name, body = f"duplicate-{size}", push_body(f"duplicate-{size}", data)
    assert receiver.push(body, token).status == 204
    first = reader.messages()[name]
    with ThreadPoolExecutor(32) as pushers:
        answers = list(pushers.map(lambda _: receiver.push(body, token).status, range(96)))
    assert answers == [204] * 96
    last = reader.messages()[name]
    assert (last["deliveries"], last["received_at"]) == (97, first["received_at"])
    assert reader.payload(last) == data


def test_first_deliveries_at_once_make_one_document(stage: Stage, token: str) -> None:
    receiver, _, reader = stage
    data = os.urandom(100_000)
    body = push_body("at-once", data)
    with ThreadPoolExecutor(32) as pushers:
        answers = list(pushers.map(lambda _: receiver.push(body, token).status, range(32)))
    assert answers == [204] * 32
    found = reader.messages()["at-once"]
    assert (found["deliveries"], reader.payload(found)) == (32, data)


def test_faults_in_any_order_lose_nothing(stage: Stage, token: str) -> None:
    receiver, proxy, reader = stage
    chance = random.Random(11)
    faults = [
        passing,
        failing(grpc.StatusCode.UNAVAILABLE),
        failing(grpc.StatusCode.ABORTED),
        losing_the_reply(),
        losing_the_reply(grpc.StatusCode.DEADLINE_EXCEEDED),
        slow(0.2),
        slow(2 * SPARE_CALL_AFTER_SECONDS),  # long enough that spare calls start
    ]
    proxy.queue = [chance.choice(faults) for _ in range(200)]
    acknowledged: set[str] = set()
    large = itertools.cycle([b"small"] * 9 + [b"x" * 30_000])
    bodies = {f"chaos-{number}": push_body(f"chaos-{number}", next(large)) for number in range(300)}

    def push(message_id: str) -> None:
        while message_id not in acknowledged:
            if receiver.push(bodies[message_id], token).status == 204:
                acknowledged.add(message_id)

    with ThreadPoolExecutor(16) as pushers:
        list(pushers.map(push, bodies))
    stored = reader.messages()
    assert acknowledged == set(bodies) <= set(stored)
    assert {len(reader.payload(stored[name])) for name in bodies} == {5, 30_000}
