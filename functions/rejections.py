"""Records refused pushes with a valid token of Google: wrong audience, account or subscription, or a bad envelope.

The records explain why messages stop arriving. Best effort and rate-limited: recording never makes an answer fail, and
never stores any part of an unauthenticated request, of a body or of a token.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from functions.batch_sender import Writer
from functions.tokens.oidc import Claims
from infra.firestore.encoding import Plain
from infra.firestore.message_writer import rejection_write

INTERVAL_SECONDS = 1.0
TIMEOUT_SECONDS = 2.0  # recording takes no longer
_WRITE_SECONDS = 1.5  # a call may end a moment after its timeout
_MAX_TEXT = 500


class Rejections:
    """Writes ``rejections`` documents, at most one a second for each reason, on one event loop.

    The limit is for each reason, because anyone can get a token of Google for another audience or account: those must
    not displace the mistakes of the push account.
    """

    def __init__(
        self, writer: Writer, *, retention: timedelta, now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._writer = writer
        self._retention = retention
        self._now = now
        self._clock = clock
        self._next_at: dict[str, float] = {}  # by reason; there are about five

    async def record(self, claims: Claims, reason: str, detail: str) -> None:
        """Write one rejection; skip it within a second of the last one, and ignore any failure of the write."""
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
        except Exception:  # noqa: BLE001 - the refusal is logged anyway, and its answer must not fail
            return
