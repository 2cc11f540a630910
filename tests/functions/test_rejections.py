"""The trace of a refused push never stands in the way of its answer."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.oidc import Claims
from functions.rejections import Rejections
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


def test_whatever_goes_wrong_with_a_rejection_stays_with_it() -> None:
    writer = Breaking()
    rejections = Rejections(writer, retention=timedelta(days=7), now=lambda: datetime.now(UTC), clock=time.monotonic)
    asyncio.run(rejections.record(CLAIMS, "audience", "The token is for another audience."))
    assert writer.asked == 1
