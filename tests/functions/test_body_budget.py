"""The memory budget for large bodies: it counts what arrives, in turn, and cancelled waiters reserve nothing."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from functions.request_body import READ_SECONDS, SMALL_BYTES, BodyBudget, read_body
from infra.errors import EnvelopeError
from tests.support.receiver.parts import PartsRequest

LARGE = SMALL_BYTES * 2


async def hold(room: BodyBudget, length: int, until: asyncio.Event) -> None:
    with room.share() as share:
        await share.take(length)
        await until.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await story()

    asyncio.run(bounded())


def test_waiter_cancelled_as_room_becomes_free_returns_its_room() -> None:
    async def story() -> None:
        room, leave = BodyBudget(LARGE), asyncio.Event()
        holders = [asyncio.create_task(hold(room, LARGE, leave)) for _ in range(2)]
        await settle()
        waiter = asyncio.create_task(hold(room, LARGE, leave))
        await settle()
        # In one loop iteration, as with timers of one burst: the waiter is cancelled, then room becomes free.
        waiter.cancel()
        room._serve()
        leave.set()
        await asyncio.gather(*holders)
        with pytest.raises(asyncio.CancelledError):
            await waiter
        with room.share() as share:
            assert share.take_now(LARGE)
        assert room._free_bytes == LARGE

    run(story)


def test_waiter_behind_a_cancelled_one_is_admitted() -> None:
    async def story() -> None:
        room, leave, stay = BodyBudget(LARGE * 2), asyncio.Event(), asyncio.Event()
        holders = [asyncio.create_task(hold(room, LARGE, stay)), asyncio.create_task(hold(room, LARGE * 2, leave))]
        await settle()
        too_large = asyncio.create_task(hold(room, LARGE * 2, stay))
        await settle()
        fits = asyncio.create_task(hold(room, LARGE, stay))
        await settle()
        assert len(room._waiting) == 2
        too_large.cancel()
        leave.set()
        await settle()
        assert not room._waiting, "the one behind still waits"
        for task in (*holders, fits):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run(story)


def test_large_bodies_wait_for_room_in_turn() -> None:
    async def story() -> None:
        room = BodyBudget(300_000)
        log: list[str] = []

        async def take(name: str, length: int, seconds: float) -> None:
            with room.share() as share:
                await share.take(length)
                log.append(name)
                await asyncio.sleep(seconds)

        async with asyncio.TaskGroup() as tasks:
            for name in ("a", "b"):  # b exceeds the budget
                tasks.create_task(take(name, 200_000, 0.02))
            tasks.create_task(take("c", 200_000, 0.02))
            tasks.create_task(take("d", 70_000, 0))
        assert log == ["a", "b", "c", "d"]

    run(story)


def test_cancelled_waiter_for_room_reserves_none() -> None:
    async def story() -> None:
        room, leave = BodyBudget(100_000), asyncio.Event()
        tasks = [asyncio.create_task(hold(room, 100_000, leave)) for _ in range(4)]
        await settle()
        tasks[2].cancel()
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert room._free_bytes == 100_000

    run(story)


def test_half_read_bodies_that_fill_the_budget_do_not_block_one_another() -> None:
    async def story() -> None:
        room = BodyBudget(300_000)

        async def read(parts: int) -> None:
            with room.share() as share:
                for _ in range(parts):
                    await share.take(50_000)
                    await asyncio.sleep(0)

        await asyncio.gather(*(read(5) for _ in range(8)))
        assert room._free_bytes == 300_000

    run(story)


def test_declared_bytes_that_do_not_arrive_hold_no_room() -> None:
    async def story() -> None:
        room = BodyBudget(LARGE)
        stalled = [PartsRequest(b"{", stall=True) for _ in range(4)]

        async def read(request: PartsRequest, length: int) -> bytes | bytearray:
            with room.share() as share:
                return await read_body(request.request, length, share)

        tasks = [asyncio.create_task(read(request, 15_000_000)) for request in stalled]
        await settle()
        assert await read(PartsRequest(b"x" * LARGE), LARGE) == b"x" * LARGE
        assert room._free_bytes == LARGE - 4
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert room._free_bytes == LARGE

    run(story)


def test_wait_for_room_is_not_counted_as_slowness_of_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.request_body.READ_SECONDS", 0.1)
    assert READ_SECONDS > 1

    async def story() -> None:
        room, leave = BodyBudget(LARGE), asyncio.Event()
        holders = [asyncio.create_task(hold(room, LARGE, leave)) for _ in range(2)]
        await settle()
        with room.share() as share:
            body = asyncio.create_task(read_body(PartsRequest(b"x" * LARGE).request, LARGE, share))
            await asyncio.sleep(0.3)
            leave.set()
            assert len(await body) == LARGE
        with room.share() as share, pytest.raises(EnvelopeError, match="did not arrive within"):
            await read_body(PartsRequest(b"{", stall=True).request, LARGE, share)
        await asyncio.gather(*holders)

    run(story)
