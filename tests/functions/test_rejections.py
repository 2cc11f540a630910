"""The trace of a refused push never stands in the way of its answer."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.rejections import INTERVAL_SECONDS, Rejections
from functions.tokens.oidc import Claims
from infra.errors import StoreError

CLAIMS = Claims("https://accounts.google.com", "https://other.example", "a@b.example", True, time.time())


class Breaking:
    """A writer with a mistake."""

    root = "projects/p/databases/(default)/documents"

    def __init__(self) -> None:
        self.asked = 0

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        self.asked += 1
        raise RuntimeError("a mistake")

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        raise RuntimeError("a mistake")

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        raise RuntimeError("a mistake")


class Counting(Breaking):
    """A writer that takes everything."""

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        self.asked += 1
        return [None]


def test_rate_limit_is_separate_for_each_reason() -> None:
    writer, now = Counting(), [0.0]
    rejections = Rejections(writer, retention=timedelta(days=7), now=lambda: datetime.now(UTC), clock=lambda: now[0])

    async def asked(*reasons: str) -> int:
        before = writer.asked
        for reason in reasons:
            await rejections.record(CLAIMS, reason, "A sentence.")
        return writer.asked - before

    async def story() -> None:
        assert await asked("audience", "audience", "audience") == 1
        assert await asked("envelope", "subscription", "audience") == 2, "one reason does not crowd out another"
        now[0] += INTERVAL_SECONDS - 0.01
        assert await asked("audience", "envelope", "subscription") == 0
        now[0] += 0.02
        assert await asked("audience", "envelope", "audience") == 2

    asyncio.run(story())


def test_any_error_of_recording_is_ignored() -> None:
    writer = Breaking()
    rejections = Rejections(writer, retention=timedelta(days=7), now=lambda: datetime.now(UTC), clock=time.monotonic)
    asyncio.run(rejections.record(CLAIMS, "audience", "The token is for another audience."))
    assert writer.asked == 1
