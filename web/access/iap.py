"""Verify the signed header of Identity-Aware Proxy, which carries the user's e-mail address.

The rules are those of cloud.google.com/iap/docs/signed-headers-howto. IAP's unsigned headers are never read: a client
that reaches the service without IAP could forge them. google-auth verifies the signature, audience and times, and
``infra.signed_token`` what it is lenient with.
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
from infra.signed_token import SignedToken, key_id, parse_token, time_claim

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
_MAX_LIFETIME_SECONDS = 600 + 2 * _SKEW_SECONDS  # the same page

Keys = Mapping[str, str]
_jwt: Any = jwt  # google.auth has no types


def fetch_keys() -> Keys:
    """Fetch Google's public keys: PEM texts by key id. Raises KeysUnavailableError."""
    try:
        response = Request()(_KEYS_URL, timeout=_FETCH_SECONDS)
        keys = json.loads(response.data) if response.status == 200 else {}
    except (GoogleAuthError, ValueError, RecursionError) as exc:
        raise KeysUnavailableError(f"IAP's keys cannot be fetched: {exc}") from exc
    if not keys or not isinstance(keys, dict):
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
            parts = parse_token(assertion)
            _check_lifetime(parts)
            keys = self._keys_with(key_id(parts.header, "ES256"))
            _jwt.decode(assertion, keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS)
        except (TokenError, ValueError, TypeError, RecursionError, GoogleAuthError) as exc:
            raise TokenError("invalid", f"IAP's assertion was refused: {exc}") from exc
        email = parts.payload.get("email")
        if parts.payload.get("iss") != _ISSUER or not isinstance(email, str) or not email:
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


def _check_lifetime(parts: SignedToken) -> None:
    """Raise TokenError unless the assertion lives as long as IAP's do: a leaked one must not be valid for years."""
    lifetime = time_claim(parts.payload, "exp") - time_claim(parts.payload, "iat")
    if not 0 <= lifetime <= _MAX_LIFETIME_SECONDS:
        raise TokenError("lifetime", f"it must live at most {_MAX_LIFETIME_SECONDS} s.")
