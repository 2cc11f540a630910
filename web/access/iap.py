"""Verify the signed header of Identity-Aware Proxy, which carries the user's e-mail address.

The rules are those of cloud.google.com/iap/docs/signed-headers-howto. IAP's unsigned headers are never read: a client
that reaches the service without IAP could forge them.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from infra.errors import KeysUnavailableError, TokenError

HEADER = "X-Goog-IAP-JWT-Assertion"
SIGN_OUT_PATH = "/_gcp_iap/clear_login_cookie"
_KEYS_URL = "https://www.gstatic.com/iap/verify/public_key"
_ISSUER = "https://cloud.google.com/iap"
_KEEP_SECONDS = 3600.0
# A flood of invented key ids must not become a flood of requests to Google.
_MIN_BETWEEN_FETCHES_SECONDS = 60.0
_RETRY_SECONDS = 10.0  # after a failed fetch
_FETCH_SECONDS = 5.0
_SKEW_SECONDS = 30  # the clock skew that IAP's documentation allows for iat and exp

Keys = Mapping[str, str]
_jwt: Any = jwt  # google.auth has no types


def fetch_keys() -> Keys:
    """Fetch Google's public keys: PEM texts by key id. Raises KeysUnavailableError."""
    try:
        response = Request()(_KEYS_URL, timeout=_FETCH_SECONDS)
        keys: Keys = json.loads(response.data) if response.status == 200 else {}
    except (GoogleAuthError, ValueError) as exc:
        raise KeysUnavailableError(f"IAP's keys cannot be fetched: {exc}") from exc
    if not keys:
        raise KeysUnavailableError(f"IAP's keys cannot be fetched: {_KEYS_URL} answered {response.status}.")
    return keys


class IapVerifier:
    """Verifies assertions for one audience, with cached keys. Thread-safe."""

    def __init__(
        self, audience: str, fetch: Callable[[], Keys] = fetch_keys, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._audience = audience
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._problem = ""  # the error of the last fetch, empty if it succeeded

    def email(self, assertion: str) -> str:
        """Return the verified e-mail address in lower case. Raises TokenError (401) or KeysUnavailableError (503)."""
        if not assertion:
            raise TokenError("missing", f"There is no {HEADER} header: this request did not come through IAP.")
        try:
            header = _jwt.decode_header(assertion)
            key = header.get("kid")
            # Checked here although the library also does: a later version of it may accept more algorithms.
            if header.get("alg") != "ES256" or not isinstance(key, str):
                raise ValueError("alg is not ES256, or there is no kid")
            keys = self._keys_with(key)
            claims = _jwt.decode(assertion, keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS)
        except (ValueError, TypeError, GoogleAuthError) as exc:
            raise TokenError("invalid", f"IAP's assertion was refused: {exc}") from exc
        email = claims.get("email")
        if claims.get("iss") != _ISSUER or not isinstance(email, str) or not email:
            raise TokenError("invalid", "IAP's assertion was refused: issuer or e-mail address.")
        return email.lower()

    def _keys_with(self, key: str) -> Keys:
        """Return the keys, refreshed if due. Raises KeysUnavailableError if ``key`` is unknown and a fetch failed.

        One thread fetches. Another thread waits for it only if it needs a new key and the last fetch did not fail.
        """
        must_wait = key not in self._keys and not self._problem
        if self._lock.acquire(blocking=must_wait):
            try:
                if self._is_due(key):
                    self._refresh()
            finally:
                self._lock.release()
        if self._problem and key not in self._keys:
            raise KeysUnavailableError(f"{self._problem} The next attempt is due within {_RETRY_SECONDS:g} s.")
        return self._keys

    def _is_due(self, key: str) -> bool:
        age = self._clock() - self._fetched_at
        if self._problem:
            return age >= _RETRY_SECONDS
        return age >= (_KEEP_SECONDS if key in self._keys else _MIN_BETWEEN_FETCHES_SECONDS)

    def _refresh(self) -> None:
        try:
            self._keys = self._fetch()
            self._problem = ""
        except KeysUnavailableError as exc:
            # Keys are valid for weeks, so the old ones are used while Google's server does not answer.
            self._problem = str(exc)
        self._fetched_at = self._clock()
