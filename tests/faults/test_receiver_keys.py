"""The key server fails, Google changes its keys, and clocks differ: no valid token is lost, no invalid one let in."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from functions.fetch import fetch_keys
from functions.keys import KeyRing
from functions.oidc import TokenVerifier
from infra.errors import KeysUnavailableError
from infra.local.signer import Signer, push_claims
from tests.functions.firestores import Reader, local_firestore
from tests.functions.stage import (
    ACCOUNT,
    AUDIENCE,
    KeyServer,
    ReceiverProcess,
    claims,
    free_port,
    push_body,
    wait_until,
)


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
    """A token that nobody remembers."""
    return signer.sign(claims(sub=str(time.monotonic_ns())))


@pytest.mark.parametrize("mode", ["error", "slow", "drip", "html", "empty"])
def test_a_cold_start_without_keys_is_an_outage_and_heals(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer, mode: str
) -> None:
    keys.mode = mode
    start = time.monotonic()
    answer = receiver.push(push_body(f"cold-{mode}"), fresh(signer))
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert answer.headers["retry-after"].isdigit()
    assert time.monotonic() - start < 5
    keys.mode = "ok"
    wait_until(lambda: receiver.push(push_body(f"cold-{mode}"), fresh(signer)).status == 204, "the recovery", 10)
    assert not [event for event in receiver.events() if event["status"] == 401]


def test_a_cold_start_without_a_key_server_is_an_outage(store: str, signer: Signer) -> None:
    process = ReceiverProcess(store, f"http://127.0.0.1:{free_port()}/certs").start()
    try:
        assert {process.push(push_body("down"), fresh(signer)).status for _ in range(20)} == {503}
    finally:
        process.close()


@pytest.mark.parametrize("mode", ["error", "slow", "html", "empty"])
def test_known_keys_outlive_the_key_server(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer, mode: str
) -> None:
    assert receiver.push(push_body("warm"), fresh(signer)).status == 204
    keys.mode = mode
    for number in range(10):
        assert receiver.push(push_body(f"warm-{number}"), fresh(signer)).status == 204


def test_a_broken_certificate_beside_good_ones_does_no_harm(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    keys.mode = "half"
    assert receiver.push(push_body("half"), fresh(signer)).status == 204


def test_a_key_that_is_published_before_it_signs_is_never_refused(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    # As Google does: the next key is served long before its first token.
    upcoming = [Signer() for _ in range(6)]
    published = {**signer.certificates()}
    for one in upcoming:
        published |= one.certificates()
    keys.signer = _Published(published)
    statuses = []
    for one in (signer, *upcoming):
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            statuses.append(receiver.push(push_body("rotation"), fresh(one)).status)
    assert set(statuses) == {204}
    assert keys.fetches == 1


class _Published(Signer):
    """A signer whose certificates are given."""

    def __init__(self, certificates: dict[str, str]) -> None:
        super().__init__()
        self._certificates = certificates

    def certificates(self) -> dict[str, str]:
        return self._certificates


def test_unknown_keys_and_garbage_cause_no_storm_of_fetches_and_no_outage(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    assert receiver.push(push_body("calm"), fresh(signer)).status == 204
    stranger = Signer()
    statuses: list[int] = []

    def storm() -> None:
        for number in range(100):
            foreign = stranger.sign(claims(aud="https://other.example", sub=str(time.monotonic_ns())))
            statuses.append(receiver.push(push_body("storm"), foreign).status)
            statuses.append(receiver.push(push_body("storm"), f"garbage.{number}.x").status)

    threads = [threading.Thread(target=storm) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {401}
    assert len(statuses) == 1000
    assert keys.fetches == 1


def test_tokens_of_keys_that_sign_at_once_are_never_called_bad(
    receiver: ReceiverProcess, keys: KeyServer, signer: Signer
) -> None:
    assert receiver.push(push_body("rotated"), fresh(signer)).status == 204
    answers = []
    for _ in range(4):
        signer.rotate()
        answers += [receiver.push(push_body("rotated"), fresh(signer)) for _ in range(25)]
    # The keys at hand are seconds old, so they are not fetched again before their minute is over.
    assert ({answer.status for answer in answers}, keys.fetches) == ({503}, 1)
    assert all(answer.headers["retry-after"].isdigit() for answer in answers)
    wait_until(lambda: len(receiver.events()) == len(answers), "the log lines")
    assert {(event["reason"], event["message"]) for event in receiver.events()} == {
        ("keys", "Push failed: The token's key is newer than those at hand; the push is retried.")
    }


class _Successor(Signer):
    """The next key; those before are served on, as Google does while their tokens live."""

    def __init__(self, before: Signer) -> None:
        super().__init__()
        self._before = before.certificates()

    def certificates(self) -> dict[str, str]:
        return {**self._before, **super().certificates()}


MINUTE_SECONDS = 1.5  # of the test below, whose clock is so much faster


def test_with_keys_that_change_every_five_seconds_every_message_is_let_in_and_no_token_called_bad() -> None:
    """Every key signs as soon as it is served: eleven of twelve are younger than our last fetch."""
    signers = [Signer()]
    for _ in range(29):
        signers.append(_Successor(signers[-1]))
    server, began = KeyServer(signers[0]), time.monotonic()

    def clock() -> float:
        return time.time() + (time.monotonic() - began) * (60 / MINUTE_SECONDS - 1)

    async def story() -> None:
        ring = KeyRing(lambda: fetch_keys(server.url), clock)
        tokens = TokenVerifier(ring, [AUDIENCE], ACCOUNT, clock)
        delivered: list[int] = []

        async def deliver(number: int) -> None:
            await asyncio.sleep(number % 100 / 100 * 2 * MINUTE_SECONDS)
            while True:
                # As Pub/Sub does: each attempt has a token of its own, of the newest key.
                token = server.signer.sign(push_claims(ACCOUNT, AUDIENCE, clock()) | {"sub": str(number)})
                with contextlib.suppress(KeysUnavailableError):
                    tokens.admit(await tokens.verify([f"Bearer {token}"]))
                    delivered.append(number)
                    return
                await asyncio.sleep(MINUTE_SECONDS / 60)

        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            deliveries = [tasks.create_task(deliver(number)) for number in range(100)]
            for signer in signers[1:]:
                await asyncio.sleep(MINUTE_SECONDS / 12)
                server.signer = signer
            await asyncio.wait(deliveries)
        assert sorted(delivered) == list(range(100))

    try:
        asyncio.run(story())
        assert 2 <= server.fetches <= (time.monotonic() - began) / MINUTE_SECONDS + 1
    finally:
        server.close()


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
def test_a_clock_may_be_a_minute_wrong_and_more_is_said(
    receiver: ReceiverProcess, signer: Signer, store: str, skew: int, status: int
) -> None:
    # Google's clock is ahead of ours, or so far behind that its new token has an hour behind it.
    issued_at = time.time() + (skew if skew > 0 else skew - 3600)
    token = signer.sign(claims(iat=issued_at, exp=issued_at + 3600))
    assert receiver.push(push_body(f"skew-{skew}"), token).status == status
    if status == 401:
        wait_until(lambda: '"clock"' in receiver.log_file.read_text(), "the log line")
        reader = Reader(store)
        assert f"skew-{skew}" not in reader.messages()
        reader.close()


def test_a_remembered_token_needs_no_key_server(receiver: ReceiverProcess, keys: KeyServer, signer: Signer) -> None:
    token = signer.push_token(ACCOUNT, AUDIENCE)
    assert receiver.push(push_body("remembered"), token).status == 204
    keys.signer = Signer()
    keys.mode = "error"
    assert receiver.push(push_body("remembered"), token).status == 204
