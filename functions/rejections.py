"""A trace of refused pushes that Google did sign: wrong audience, account or subscription, or no envelope.

People look here when messages stop arriving. Best effort and rate-limited: it never fails an answer, and never holds
anything of an unauthenticated request, of a body or of a token.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from functions.batch_sender import Writer
from functions.oidc import Claims
from infra.firestore.encoding import Plain
from infra.firestore.message_writer import rejection_write

INTERVAL_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0  # what recording takes at most
_WRITE_SECONDS = 1.5  # a call may end a moment after its own time
_MAX_TEXT = 500


class Rejections:
    """Writes ``rejections`` documents, at most one a second of each reason. One event loop's.

    Anybody can have Google sign a token for somebody else: what our own account did wrong must not be crowded out.
    """

    def __init__(
        self, writer: Writer, *, retention: timedelta, now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._writer = writer
        self._retention = retention
        self._now = now
        self._clock = clock
        self._next_at: dict[str, float] = {}  # by reason, of which there are a handful

    async def record(self, claims: Claims, reason: str, detail: str) -> None:
        """Write one rejection, or nothing: when there was one a moment ago, or Firestore does not take it."""
        if self._clock() < self._next_at.get(reason, float("-inf")):
            return
        self._next_at[reason] = self._clock() + INTERVAL_SECONDS
        fields: dict[str, Plain] = {
            "reason": reason,
            "detail": detail[:_MAX_TEXT],
            "claims": {
                "iss": claims.issuer,
                "aud": claims.audience[:_MAX_TEXT],
                "email": claims.email[:_MAX_TEXT],
                "email_verified": claims.email_verified,
                "exp": int(claims.expires_at),
            },
            "expire_at": self._now() + self._retention,
        }
        write = rejection_write(self._writer.root, uuid.uuid4().hex, fields.items())
        try:
            await self._writer.batch_write([write], _WRITE_SECONDS)
        except Exception:  # noqa: BLE001 - the refusal itself is logged, and its answer must not fail
            return
