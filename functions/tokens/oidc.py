"""Checks the OIDC token of a push: Google signed it, it is current, and it is for our audience and account.

google-auth's checks are too weak (no e-mail, no bound on the times, the last of two duplicate claims wins), so every
header and claim is checked here and in ``infra.signed_token``. A ``Signature`` checks the signature.

Source: cloud.google.com/pubsub/docs/authenticate-push-subscriptions, RFC 7519, RFC 8725.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from functions.tokens.google_signature import Signature
from infra.errors import ForeignTokenError, TokenError
from infra.signed_token import key_id, parse_token, time_claim

MAX_TOKEN_BYTES = 4096
SKEW_SECONDS = 60
MAX_LIFETIME_SECONDS = 3700  # Google's tokens live an hour
MAX_VERIFIED = 1000
_OF_PROXY = "There is a header {} beside the token: turn off Identity-Aware Proxy on the receiver's service."
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token that Google signed. ``expires_at`` is seconds since 1970."""

    issuer: str
    audience: str
    email: str
    email_verified: bool
    expires_at: float


class TokenVerifier:
    """Verifies tokens and caches the valid ones until they expire, for one event loop."""

    def __init__(
        self, signature: Signature, audiences: Sequence[str], service_account: str, clock: Callable[[], float]
    ) -> None:
        self._signature = signature
        self._audiences = frozenset(audiences)
        self._service_account = service_account
        self._clock = clock
        self._verified: dict[bytes, Claims] = {}

    async def verify(self, authorization: Sequence[str], of_proxy: Sequence[str] = ()) -> Claims:
        """Return the claims of the token in the Authorization headers; ``admit`` checks that it is for us.

        ``of_proxy`` are the names of headers with which a proxy checked another caller than the token's.

        Raises TokenError (401) unless there is one current token that Google signed, and KeysUnavailableError (503) if
        the keys to check that are missing.
        """
        if not authorization:
            raise self._missing()
        if of_proxy:
            raise TokenError("proxy", _OF_PROXY.format(of_proxy[0]))
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = await self._verify(token)
            self._cache(digest, claims)
        if self._clock() > claims.expires_at + SKEW_SECONDS:
            raise TokenError("clock", "The token has expired.")
        return claims

    def admit(self, claims: Claims) -> None:
        """Raise ForeignTokenError (403) unless the token was made for our audience and push account."""
        if claims.audience not in self._audiences:
            raise ForeignTokenError("audience", "The token is for another audience; set the subscription's.")
        if claims.email != self._service_account:
            raise ForeignTokenError("account", "The token is for another service account; set the subscription's.")
        if not claims.email_verified:
            raise ForeignTokenError("email_verified", "The token's e-mail is not verified.")

    def _missing(self) -> TokenError:
        if self._signature.is_open_without_token():
            self._verified.clear()
            return TokenError("service_open", "A push without a token passed Cloud Run's check: the service is open.")
        return TokenError("missing", "A push needs an Authorization header: enable authentication on the subscription.")

    async def _verify(self, token: str) -> Claims:
        # The checks without a key come first, so that garbage causes no fetch.
        parts = parse_token(token)
        kid = key_id(parts.header, "RS256")
        claims = _claims(parts.payload)
        await self._signature.check(parts, kid)
        return self._current(claims)

    def _current(self, timed: "_Timed") -> Claims:
        now = self._clock()
        if max(timed.issued_at, timed.not_before) > now + SKEW_SECONDS:
            raise TokenError("clock", "The token is from the future; one of two clocks is wrong.")
        if timed.claims.expires_at < now - SKEW_SECONDS:
            raise TokenError("clock", "The token has expired.")
        return timed.claims

    def _cache(self, digest: bytes, claims: Claims) -> None:
        # A plain dict instead of cachetools.FIFOCache: its lookup takes four times as long (0.38 instead of 0.10 µs),
        # for every push, and its import costs each cold start about 5 ms.
        if len(self._verified) >= MAX_VERIFIED:
            # Evict the oldest: a dict keeps the order of insertion.
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = claims


@dataclass(frozen=True, slots=True)
class _Timed:
    claims: Claims
    issued_at: float
    not_before: float


def _bearer(authorization: Sequence[str]) -> str:
    if len(authorization) > 1:
        raise TokenError("repeated", "There is more than one Authorization or X-Serverless-Authorization header.")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        raise TokenError("scheme", "The Authorization header is not a Bearer token.")
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenError("length", f"The token is longer than {MAX_TOKEN_BYTES} bytes.")
    return token


def _claims(payload: dict[str, Any]) -> _Timed:
    if payload.get("iss") not in _ISSUERS:
        raise TokenError("issuer", "The token is not issued by Google accounts.")
    issued_at, expires_at = time_claim(payload, "iat"), time_claim(payload, "exp")
    if not 0 < expires_at - issued_at <= MAX_LIFETIME_SECONDS:
        raise TokenError("lifetime", f"The token must live at most {MAX_LIFETIME_SECONDS} s.")
    not_before = time_claim(payload, "nbf") if "nbf" in payload else issued_at
    email = payload.get("email")
    return _Timed(
        claims=Claims(
            issuer=payload["iss"],
            audience=_audience(payload.get("aud")),
            email=email if isinstance(email, str) else "",
            email_verified=payload.get("email_verified") is True,
            expires_at=expires_at,
        ),
        issued_at=issued_at,
        not_before=not_before,
    )


def _audience(aud: Any) -> str:
    """Return the audience, given as text or as a list of one (RFC 7519, section 4.1.3); "" matches none of ours."""
    if isinstance(aud, list) and len(aud) == 1:
        aud = aud[0]
    return aud if isinstance(aud, str) else ""
