"""The pauses of the sender, and the longest wait for an outcome while Firestore fails or hangs."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from functions.batch_sender import COUNT_SECONDS, BatchSender
from functions.group_commit import GroupCommit
from functions.pending_writes import ChunkWrite
from infra.errors import DocumentExistsError, StoreError, StoreUnavailableError
from tests.support.receiver.committing import NOW, pushed


class Failing:
    """A writer in which every call fails; it records the times of the calls."""

    root = "projects/p/databases/(default)/documents"

    def __init__(self) -> None:
        self.asked_at: list[float] = []

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        self.asked_at.append(asyncio.get_running_loop().time())
        return [StoreUnavailableError("down")] * len(writes)

    async def commit(self, writes: Iterable[Any], timeout_seconds: float) -> None:
        raise StoreUnavailableError("down")

    async def stored(self, document_ids: Sequence[str], timeout_seconds: float) -> set[str]:
        raise StoreUnavailableError("down")


class Hanging(Failing):
    """A writer that has stored every message already; its second call never ends, even after its timeout."""

    async def batch_write(self, writes: Sequence[Any], timeout_seconds: float) -> list[StoreError | None]:
        self.asked_at.append(asyncio.get_running_loop().time())
        if len(self.asked_at) > 1:
            await asyncio.Event().wait()
        return [DocumentExistsError("stored already")] * len(writes)


def test_pauses_of_instances_differ_and_are_long_enough() -> None:
    async def pauses() -> tuple[float, float]:
        writer = Failing()
        await BatchSender(writer).send([ChunkWrite("key", 1, lambda: None)])
        first, second, third = writer.asked_at
        return second - first, third - second

    async def spreads() -> list[float]:
        instances = await asyncio.gather(*(pauses() for _ in range(50)))
        measured = list(zip((0.1, 0.4), zip(*instances, strict=True), strict=True))
        for pause, seconds in measured:
            assert 0.5 * pause <= min(seconds)
        return [(max(seconds) - min(seconds)) / pause for pause, seconds in measured]

    # An event loop that the machine holds up wakes all instances at the same time: one undisturbed round counts.
    rounds = (asyncio.run(spreads()) for _ in range(10))
    assert any(min(spread) > 0.5 for spread in rounds)


def test_hanging_count_does_not_delay_a_stored_message() -> None:
    async def story() -> None:
        writer = Hanging()
        committer = GroupCommit(writer, shards=1, retention=timedelta(days=7), now=lambda: NOW)
        start = asyncio.get_running_loop().time()
        async with asyncio.timeout(3 * COUNT_SECONDS):
            await committer.save(pushed())
        assert len(writer.asked_at) == 2
        assert asyncio.get_running_loop().time() - start >= 2 * COUNT_SECONDS

    asyncio.run(story())
