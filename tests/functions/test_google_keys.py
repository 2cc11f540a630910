"""When keys are fetched, kept, served stale and given up."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable

import pytest

from functions.tokens.google_keys import KeyRing, Reply, max_age_seconds, read_keys
from functions.tokens.key_fetch import fetch_keys
from infra.errors import KeysUnavailableError
from infra.local.token_signer import Signer
from tests.support.ports import free_port
from tests.support.receiver.key_server import KeyServer


class Endpoint:
    """A key server in the same process: its replies, and the number of requests."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.down = False
        self.asked = 0
        self.now = 1000.0

    async def fetch(self) -> Reply:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise KeysUnavailableError("down")
        return Reply(json.dumps(self.signer.certificates()).encode(), "max-age=20000")

    def ring(self) -> KeyRing:
        return KeyRing(self.fetch, lambda: self.now)


Story = Callable[[KeyRing, Endpoint], Awaitable[None]]


def tell(signer: Signer, story: Story) -> None:
    async def run() -> None:
        endpoint = Endpoint(signer)
        await story(endpoint.ring(), endpoint)

    asyncio.run(run())


def test_one_fetch_serves_everyone_until_max_age(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        found = await asyncio.gather(*(ring.verifier(signer.key.id) for _ in range(100)))
        assert all(found)
        assert endpoint.asked == 1
        endpoint.now += 19_999
        assert await ring.verifier(signer.key.id)
        assert endpoint.asked == 1
        endpoint.now += 1
        assert await ring.verifier(signer.key.id)
        assert endpoint.asked == 2

    tell(signer, story)


def test_unknown_keys_cause_one_fetch_a_minute(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        for second in range(150):
            endpoint.now = 1000.0 + second
            assert await ring.verifier("unknown") is None
        assert endpoint.asked == 3

    tell(signer, story)


def test_new_key_is_found_after_a_minute() -> None:
    signer = Signer()

    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        assert await ring.verifier(signer.key.id)
        signer.rotate()
        assert await ring.verifier(signer.key.id) is None
        endpoint.now += 60
        assert await ring.verifier(signer.key.id)

    tell(signer, story)


def test_key_that_is_published_before_it_signs_is_never_refused() -> None:
    signer = Signer()

    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        assert await ring.verifier(signer.key.id)
        for rotation in range(5):
            old = signer.key.id
            signer.rotate()  # the new key is served; pushes are still signed with the old one
            for _ in range(20):
                endpoint.now += 1000
                assert await ring.verifier(old)
            assert endpoint.asked == rotation + 2, "fetched because of their age, not because of the new key"
            assert await ring.verifier(signer.key.id)

    tell(signer, story)


def test_failing_server_leaves_known_keys_usable_for_a_day(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        assert await ring.verifier(signer.key.id)
        endpoint.down = True
        endpoint.now += 24 * 3600
        assert await ring.verifier(signer.key.id)
        endpoint.now += 1
        with pytest.raises(KeysUnavailableError):
            await ring.verifier(signer.key.id)
        endpoint.down = False
        endpoint.now += 60
        assert await ring.verifier(signer.key.id)

    tell(signer, story)


def test_failing_key_server_is_asked_again_only_after_a_pause(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        endpoint.down = True
        for tenth in range(3000):
            endpoint.now = 1000.0 + tenth / 10
            with pytest.raises(KeysUnavailableError):
                await ring.verifier(signer.key.id)
        assert endpoint.asked <= 12, "300 s: after 1, 2, 4, 8, 16, 32 s and then each minute"
        endpoint.down = False
        endpoint.now += 60
        assert await ring.verifier(signer.key.id)

    tell(signer, story)


def test_unknown_key_is_unavailable_while_the_key_server_fails(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        assert await ring.verifier(signer.key.id)
        endpoint.down = True
        endpoint.now += 60
        with pytest.raises(KeysUnavailableError):
            await ring.verifier("new")
        assert await ring.verifier(signer.key.id)

    tell(signer, story)


def test_cancelled_caller_does_not_end_the_shared_fetch(signer: Signer) -> None:
    async def story(ring: KeyRing, endpoint: Endpoint) -> None:
        first = asyncio.create_task(ring.verifier(signer.key.id))
        second = asyncio.create_task(ring.verifier(signer.key.id))
        await asyncio.sleep(0)
        first.cancel()
        assert await second
        assert endpoint.asked == 1

    tell(signer, story)


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("public, max-age=19845, must-revalidate, no-transform", 19845),
        ("max-age=5", 60),
        ("", 60),
        ("s-max-age=500, x-max-age=7", 60),
        ("MAX-AGE=300", 300),
        ("max-age=999999999", 24 * 3600),
        ("max-age=-1", 60),
    ],
)
def test_max_age_is_kept_within_a_minute_and_a_day(cache_control: str, seconds: float) -> None:
    assert max_age_seconds(cache_control) == seconds


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b"[" * 100_000, b'{"k": 1}', b'{"k": "no PEM"}'])
def test_answer_without_keys_is_an_outage(body: bytes) -> None:
    with pytest.raises(KeysUnavailableError):
        read_keys(body)


def test_broken_certificate_does_not_hide_the_others(signer: Signer) -> None:
    assert list(read_keys(json.dumps({"broken": "x", **signer.certificates()}).encode())) == [signer.key.id]


def test_keys_are_fetched_over_http(keys: KeyServer) -> None:
    reply = asyncio.run(fetch_keys(keys.url))
    assert json.loads(reply.body) == keys.signer.certificates()
    assert reply.cache_control == keys.cache_control


@pytest.mark.parametrize("mode", ["error", "missing", "slow", "drip", "long"])
def test_bad_server_is_given_up_in_time(mode: str, signer: Signer) -> None:
    server = KeyServer(signer)
    server.mode = mode
    try:
        with pytest.raises(KeysUnavailableError):
            asyncio.run(fetch_keys(server.url, 0.6))
    finally:
        server.close()


def test_server_that_is_not_there_is_an_outage() -> None:
    with pytest.raises(KeysUnavailableError):
        asyncio.run(fetch_keys(f"http://127.0.0.1:{free_port()}/certs"))


def test_certificate_that_nothing_can_read_leaves_the_others_usable(signer: Signer) -> None:
    good = signer.certificates()
    pem = next(iter(good.values()))
    der = ssl.PEM_cert_to_DER_cert(pem)
    # X.509 version 8, which does not exist: cryptography raises no ValueError for it.
    odd = ssl.DER_cert_to_PEM_cert(der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"), 1))
    assert odd != pem
    assert set(read_keys(json.dumps({"odd": odd, **good}).encode())) == set(good)


def test_any_fetch_error_is_an_outage_with_a_pause() -> None:
    asked = 0

    async def fetch() -> Reply:
        nonlocal asked
        asked += 1
        raise RuntimeError("an unexpected error")

    async def story() -> None:
        ring = KeyRing(fetch, lambda: 1000.0)
        for _ in range(5):
            with pytest.raises(KeysUnavailableError):
                await ring.verifier("any")

    asyncio.run(story())
    assert asked == 1
