"""The metadata server is slow, fails or is silent: pushes are answered in time, and other requests do not wait."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functions.receiver import BUDGET_SECONDS
from tests.support.faults.google_cloud import FirestoreFront, MetadataServer
from tests.support.firestore.servers import local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import push_body
from tests.support.waiting import wait_until

NEVER = 1e9
PUSHES = 6


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with local_firestore() as address:
        yield address


@pytest.fixture
def metadata() -> Iterator[MetadataServer]:
    server = MetadataServer()
    yield server
    server.close()


@pytest.fixture
def receiver(store: str, metadata: MetadataServer, keys: KeyServer, tmp_path: Path) -> Iterator[ReceiverProcess]:
    front = FirestoreFront(store, tmp_path)
    extra = {
        "HOME": str(tmp_path),  # no credentials of a user
        "GCE_METADATA_HOST": metadata.address,
        "GCE_METADATA_IP": metadata.address,
        "grpc_proxy": front.url,
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(front.certificate),
    }
    process = ReceiverProcess("", keys.url, extra=extra).start()
    yield process
    process.stop()
    said = process.log_file.read_text()
    process.close()
    front.close()
    assert "Traceback" not in said, "the log has a line for each refused push, and no other"


def push_several(receiver: ReceiverProcess, token: str) -> tuple[set[int], float, float]:
    """Push several at once; return their statuses, the slowest push and the slowest answer to an invalid token."""
    times: list[float] = []

    def push(number: int) -> int:
        start = time.monotonic()
        status = receiver.push(push_body(f"credentials-{number}"), token).status
        times.append(time.monotonic() - start)
        return status

    with ThreadPoolExecutor(PUSHES) as pool:
        pushes = [pool.submit(push, number) for number in range(PUSHES)]
        others = _ask_until(receiver, lambda: all(one.done() for one in pushes))
        return {one.result() for one in pushes}, max(times), others


def _ask_until(receiver: ReceiverProcess, done: Callable[[], bool]) -> float:
    slowest = 0.0
    while not done():
        start = time.monotonic()
        assert receiver.push(b"x", "a.b.c").status == 401
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.05)
    return slowest


def threads(receiver: ReceiverProcess) -> int:
    [worker] = receiver.workers()
    return len(list(Path(f"/proc/{worker}/task").iterdir()))


@pytest.mark.parametrize(
    ("delay_seconds", "broken", "status"), [(0, False, 204), (1, False, 204), (10, False, 503), (0, True, 503)]
)
def test_cold_start_without_credentials_is_an_outage_and_recovers(
    receiver: ReceiverProcess, metadata: MetadataServer, token: str, delay_seconds: float, broken: bool, status: int
) -> None:
    metadata.delay_seconds, metadata.broken = delay_seconds, broken
    statuses, slowest, others = push_several(receiver, token)
    assert statuses == {status}
    assert (slowest < BUDGET_SECONDS, others < 1) == (True, True)
    assert metadata.asked, "the credentials came from somewhere else"
    metadata.delay_seconds, metadata.broken = 0, False
    wait_until(lambda: receiver.push(push_body("healed"), token).status == 204, "the recovery", 20)


def test_unreadable_credentials_are_an_outage_and_named(keys: KeyServer, token: str, tmp_path: Path) -> None:
    receiver = ReceiverProcess("", keys.url, extra={"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path)}).start()
    try:
        assert receiver.push(push_body("unread"), token).status == 503
        assert receiver.push(b"{", token).status == 400
        wait_until(lambda: len(receiver.events()) == 2, "the log lines", 20)
        assert "credentials for Firestore cannot be read" in receiver.events()[0]["message"]
        assert "Traceback" not in receiver.log_file.read_text()
    finally:
        receiver.close()


@pytest.mark.slow
def test_silent_metadata_server_piles_nothing_up(
    receiver: ReceiverProcess, metadata: MetadataServer, token: str
) -> None:
    metadata.delay_seconds = NEVER
    counted, began = [], time.monotonic()
    for _ in range(2):
        statuses, slowest, others = push_several(receiver, token)
        assert (statuses, slowest < BUDGET_SECONDS, others < 1) == ({503}, True, True)
        counted.append(threads(receiver))
    assert max(counted) < 20
    assert len(metadata.asked) <= (time.monotonic() - began) / 3 + 1, (
        "one question serves all pushes, with a timeout of 3 s"
    )
    time.sleep(12)  # the library's retries end; no call waits for their result
    metadata.delay_seconds = 0
    wait_until(lambda: receiver.push(push_body("healed"), token).status == 204, "the recovery", 20)


@pytest.mark.slow
def test_credentials_slower_than_a_call_arrive(receiver: ReceiverProcess, metadata: MetadataServer, token: str) -> None:
    metadata.delay_seconds = 2.6  # Google's library gives each question 3 s and asks several
    wait_until(lambda: receiver.push(push_body("late"), token).status == 204, "the first acknowledgement", 45)


@pytest.mark.slow
def test_token_that_cannot_be_renewed_is_an_outage_and_recovers(
    receiver: ReceiverProcess, metadata: MetadataServer, token: str
) -> None:
    metadata.token_seconds = 60  # so short that each call asks for the next token
    assert push_several(receiver, token)[0] == {204}
    before = threads(receiver)
    metadata.delay_seconds = NEVER
    statuses, slowest, others = push_several(receiver, token)
    assert (statuses, slowest < BUDGET_SECONDS, others < 1) == ({503}, True, True)
    assert threads(receiver) < before + 20
    metadata.delay_seconds = 0
    wait_until(lambda: receiver.push(push_body("healed"), token).status == 204, "the recovery", 20)
