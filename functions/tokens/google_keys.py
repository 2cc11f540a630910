"""Google's public keys: cached for their max-age, and used stale while the key server fails.

Decides when to fetch; ``functions.tokens.key_fetch`` makes the request. Knows nothing of tokens.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import InvalidVersion, load_pem_x509_certificate
from google.auth.crypt import RSAVerifier

from infra.errors import KeysUnavailableError

MIN_AGE_SECONDS = 60.0  # at most one fetch a minute, for any max-age and any unknown key
MAX_STALE_SECONDS = 24 * 3600.0
_FIRST_PAUSE_SECONDS = 1.0
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """A key server's response of status 200."""

    body: bytes
    cache_control: str = ""


Fetch = Callable[[], Awaitable[Reply]]


class KeyRing:
    """The verifiers of the current keys, by key id, for one event loop."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._verifiers: Mapping[str, RSAVerifier] = {}
        self._fetched_at = float("-inf")
        self._fresh_until = float("-inf")
        self._next_try_at = float("-inf")
        self._failures = 0
        self._refreshing: asyncio.Task[None] | None = None

    async def verifier(self, kid: str) -> RSAVerifier | None:
        """Return the verifier of one key; None if the server does not know ``kid``.

        Raises KeysUnavailableError (503) if the server does not answer and ``kid`` may be one of its newer keys.
        """
        now = self._clock()
        if now >= self._fresh_until or (kid not in self._verifiers and now >= self._fetched_at + MIN_AGE_SECONDS):
            await self._refresh(now)
        if not self._verifiers or self._clock() > self._fetched_at + MAX_STALE_SECONDS:
            raise KeysUnavailableError(
                "The key server does not answer and no usable key is cached. The push is retried."
            )
        verifier = self._verifiers.get(kid)
        if verifier is None and self._failures:
            raise KeysUnavailableError("The key server does not answer, and the key may be new; the push is retried.")
        return verifier

    async def _refresh(self, now: float) -> None:
        """Share one fetch between all waiters; after a failure, fetch again only after a pause."""
        if self._refreshing is None:
            if now < self._next_try_at:
                return
            self._refreshing = asyncio.create_task(self._try())
        # A caller that times out leaves the fetch running for the others.
        await asyncio.shield(self._refreshing)

    async def _try(self) -> None:
        try:
            reply = await self._fetch()
            self._verifiers = read_keys(reply.body)
        except Exception:  # noqa: BLE001 - after any failure, the next fetch waits for a pause
            self._failures += 1
            self._next_try_at = self._clock() + min(_FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1), MIN_AGE_SECONDS)
        else:
            self._failures = 0
            self._fetched_at = self._next_try_at = self._clock()
            self._fresh_until = self._fetched_at + max_age_seconds(reply.cache_control)
        finally:
            self._refreshing = None


def max_age_seconds(cache_control: str) -> float:
    """Return how long to cache a reply: its max-age (RFC 9111, section 5.2.2.1), at least a minute, at most a day."""
    match = _MAX_AGE.search(cache_control)
    return min(max(float(match.group(1)) if match else 0.0, MIN_AGE_SECONDS), MAX_STALE_SECONDS)


def read_keys(body: bytes) -> dict[str, RSAVerifier]:
    """Read ``{key id: certificate in PEM}``. Certificates that cannot be read are skipped.

    Raises KeysUnavailableError if none is left: in an outage, servers often answer 200 with an HTML page.
    """
    try:
        certificates = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise KeysUnavailableError("The key server's answer is not JSON.") from exc
    keys: dict[str, RSAVerifier] = {}
    for kid, pem in certificates.items() if isinstance(certificates, dict) else ():
        if isinstance(pem, str) and (key := _rsa_key(pem)):
            keys[kid] = RSAVerifier(key)  # type: ignore[no-untyped-call]
    if not keys:
        raise KeysUnavailableError("The key server's answer holds no RSA certificate.")
    return keys


def _rsa_key(pem: str) -> RSAPublicKey | None:
    try:
        key = load_pem_x509_certificate(pem.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidVersion):
        return None
    return key if isinstance(key, RSAPublicKey) else None
