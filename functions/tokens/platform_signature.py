"""The signature of a token that Cloud Run's invoker check verified, and removed before the request came here.

Only a service that Cloud Run closes to callers without a token may use this: in an open one, every caller can write the
text that stands for a removed signature. A closed service gets no POST without a token, so one that arrives proves that
the service is open. (A GET proves nothing: Cloud Run's health probes have no token.)

Source: cloud.google.com/run/docs/authenticating/service-to-service, cloud.google.com/run/docs/troubleshooting.
"""

from collections.abc import Callable

from functions.tokens.google_signature import REMOVED, Signature
from infra.errors import TokenError
from infra.signed_token import SignedToken

# Long enough for an operator to close the service. Until then, and in an open service, tokens arrive complete.
OPEN_SECONDS = 3600.0


class PlatformSignature:
    """Accepts a removed signature, and leaves every other one to ``complete``."""

    def __init__(self, complete: Signature, clock: Callable[[], float]) -> None:
        self._complete = complete
        self._clock = clock
        self._open_until = float("-inf")

    async def check(self, token: SignedToken, kid: str) -> None:
        """Accept a removed signature, unless the service was found open; check every other one."""
        if token.signature != REMOVED:
            await self._complete.check(token, kid)
        elif self._clock() < self._open_until:
            raise TokenError("service_open", "Nothing proves this token: a push without one passed Cloud Run's check.")

    def is_open_without_token(self) -> bool:
        """Accept no removed signature for the next OPEN_SECONDS, and return True."""
        self._open_until = self._clock() + OPEN_SECONDS
        return True
