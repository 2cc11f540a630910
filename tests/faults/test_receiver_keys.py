"""The key server fails, Google rotates its keys, clocks differ: valid tokens are accepted, invalid ones refused."""

import threading
import time
from collections.abc import Iterator

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.ports import free_port
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE, claims, push_body
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with local_firestore() as address:
        yield address


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def keys(signer: Signer) -> Iterator[KeyServer]:
    server = KeyServer(signer)
    yield server
    server.close()


@pytest.fixture
def receiver(store: str, keys: KeyServer) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(store, keys.url).start()
    yield process
    process.close()


def fresh(signer: Signer) -> str:
    """Return a token that no cache holds."""
    return signer.sign(claims(sub=str(time.monotonic_ns())))


@pytest.mark.parametrize("mode", ["error", "slow", "drip", "html", "empty"])
def test_cold_start_without_keys_is_an_outage_and_recovers(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer, mode: str
) -> None:
    keys.mode = mode
    start = time.monotonic()
    answer = receiver.push(push_body(f"cold-{mode}"), fresh(signer))
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert answer.headers["retry-after"].isdigit()
    assert time.monotonic() - start < 5
    keys.mode = "ok"
    wait_until(lambda: receiver.push(push_body(f"cold-{mode}"), fresh(signer)).status == 204, "the recovery")
    assert not [event for event in receiver.events() if event["status"] == 401]


def test_cold_start_without_a_key_server_is_an_outage(store: str, signer: Signer) -> None:
    process = ReceiverProcess(store, f"http://127.0.0.1:{free_port()}/certs").start()
    try:
        assert {process.push(push_body("down"), fresh(signer)).status for _ in range(20)} == {503}
        wait_until(lambda: len(process.events()) == 20, "the log lines", 20)
        [said] = {event["message"] for event in process.events()}
        assert said.count("key server") == 1, "the log says the same sentence twice"
    finally:
        process.close()


@pytest.fixture
def hasty(store: str, keys: KeyServer) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(store, keys.url, source="tests/support/receiver/hasty.py").start()
    yield process
    process.close()


def test_stale_keys_serve_while_the_key_server_fails(hasty: ReceiverProcess, keys: KeyServer, signer: Signer) -> None:
    keys.cache_control = "max-age=1"  # kept for the minimum age, here three seconds
    assert hasty.push(push_body("warm"), fresh(signer)).status == 204
    old = signer.key
    signer.rotate()

    def asked_again() -> bool:
        token = old.sign(claims(sub=str(time.monotonic_ns())))
        assert hasty.push(push_body("stale"), token).status == 204
        return keys.fetches > asked

    for mode in ("error", "slow", "html", "empty"):
        keys.mode, asked = mode, keys.fetches
        wait_until(asked_again, f"a fetch that fails ({mode})", 20)
    assert hasty.push(push_body("new"), fresh(signer)).status == 503, "the key may be Google's newest"
    keys.mode = "ok"
    wait_until(lambda: hasty.push(push_body("new"), fresh(signer)).status == 204, "the new key", 20)


def test_broken_certificate_beside_good_ones_is_ignored(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    keys.mode = "half"
    assert receiver.push(push_body("half"), fresh(signer)).status == 204


def test_every_published_key_is_known_from_one_fetch(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    # As Google does: the next key is served long before its first token.
    upcoming = [Signer() for _ in range(6)]
    published = {**signer.certificates()}
    for one in upcoming:
        published |= one.certificates()
    keys.signer = _Published(published)
    assert {receiver.push(push_body("published"), fresh(one)).status for one in (signer, *upcoming)} == {204}
    assert keys.fetches == 1


class _Published(Signer):
    """A signer with given certificates."""

    def __init__(self, certificates: dict[str, str]) -> None:
        super().__init__()
        self._certificates = certificates

    def certificates(self) -> dict[str, str]:
        return self._certificates


def test_unknown_keys_cause_few_fetches(receiver: ReceiverProcess, keys: KeyServer, signer: Signer) -> None:
    assert receiver.push(push_body("calm"), fresh(signer)).status == 204
    stranger = Signer()
    statuses: list[int] = []

    def storm() -> None:
        for number in range(100):
            statuses.append(receiver.push(push_body("storm"), fresh(stranger)).status)
            statuses.append(receiver.push(push_body("storm"), f"garbage.{number}.x").status)

    threads = [threading.Thread(target=storm) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {401}
    assert len(statuses) == 1000
    assert keys.fetches == 1


def test_simultaneous_first_pushes_share_one_fetch(receiver: ReceiverProcess, keys: KeyServer, signer: Signer) -> None:
    statuses: list[int] = []
    barrier = threading.Barrier(16)

    def push(number: int) -> None:
        barrier.wait()
        statuses.append(receiver.push(push_body(f"first-{number}"), fresh(signer)).status)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (set(statuses), keys.fetches) == ({204}, 1)


@pytest.mark.parametrize(("skew", "status"), [(-300, 401), (-62, 401), (-55, 204), (55, 204), (65, 401), (300, 401)])
def test_clock_may_be_a_minute_wrong_and_more_is_logged(
    receiver: ReceiverProcess, signer: Signer, store: str, skew: int, status: int
) -> None:
    # Google's clock is ahead of ours, or so far behind that its new token has an hour behind it.
    issued_at = time.time() + (skew if skew > 0 else skew - 3600)
    token = signer.sign(claims(iat=issued_at, exp=issued_at + 3600))
    assert receiver.push(push_body(f"skew-{skew}"), token).status == status
    if status == 401:
        wait_until(lambda: '"clock"' in receiver.log_file.read_text(), "the log line", 20)
        reader = Reader(store)
        assert f"skew-{skew}" not in reader.messages()
        reader.close()


def test_remembered_token_needs_no_key_server(receiver: ReceiverProcess, keys: KeyServer, signer: Signer) -> None:
    token = signer.push_token(ACCOUNT, AUDIENCE)
    assert receiver.push(push_body("remembered"), token).status == 204
    keys.signer = Signer()
    keys.mode = "error"
    assert receiver.push(push_body("remembered"), token).status == 204
