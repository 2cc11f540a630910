"""The signature of a token, verified with Google's public keys. Knows nothing of claims."""

from typing import Protocol

from functions.tokens.google_keys import KeyRing
from infra.errors import TokenError
from infra.signed_token import SignedToken

# Cloud Run puts this text in the place of a signature that it has checked itself:
# cloud.google.com/run/docs/troubleshooting#signature-removed
REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


class Signature(Protocol):
    """Decides whether the third part of a token proves that Google issued it."""

    async def check(self, token: SignedToken, kid: str) -> None:
        """Return if it does; raise TokenError (401) if not, and KeysUnavailableError (503) if the keys are missing."""

    def is_open_without_token(self) -> bool:
        """Return whether a push without a token proves that the platform lets every caller in."""


class GoogleSignature:
    """Verifies every signature with a key of Google."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def check(self, token: SignedToken, kid: str) -> None:
        """Verify the signature. Raises TokenError (401), KeysUnavailableError (503)."""
        if token.signature == REMOVED:
            raise TokenError(
                "signature_removed",
                "Cloud Run checked the token and removed its signature; SIGNATURE_CHECK=platform accepts such tokens.",
            )
        signature = token.signature_bytes
        verifier = await self._keys.verifier(kid)
        if verifier is None:
            raise TokenError("kid", "The token is signed with a key that is not Google's.")
        if not verifier.verify(token.signed, signature):
            raise TokenError("signature", "The token's signature is wrong.")

    def is_open_without_token(self) -> bool:
        """Return False: here no other check comes before this one."""
        return False
