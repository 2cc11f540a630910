"""The memory budget for large bodies: first come, first served, and cancelled waiters reserve nothing."""

import asyncio
import contextlib

import pytest

from functions.request_body import SMALL_BYTES, BodyBudget

LARGE = SMALL_BYTES * 2


async def hold(room: BodyBudget, length: int, until: asyncio.Event) -> None:
    async with room.hold(length):
        await until.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_waiter_cancelled_as_room_becomes_free_returns_its_room() -> None:
    async def story() -> None:
        room, leave = BodyBudget(LARGE), asyncio.Event()
        holder = asyncio.create_task(hold(room, LARGE, leave))
        await settle()
        waiter = asyncio.create_task(hold(room, LARGE, leave))
        await settle()
        # In one loop iteration, as with timers of one burst: the waiter is cancelled, then room becomes free.
        waiter.cancel()
        room._give(0)
        leave.set()
        await holder
        with pytest.raises(asyncio.CancelledError):
            await waiter
        async with asyncio.timeout(1), room.hold(LARGE):
            pass

    asyncio.run(story())


def test_waiter_behind_a_cancelled_one_is_admitted() -> None:
    async def story() -> None:
        room, leave = BodyBudget(LARGE * 2), asyncio.Event()
        holder = asyncio.create_task(hold(room, LARGE, leave))
        await settle()
        too_large = asyncio.create_task(hold(room, LARGE * 2, leave))
        await settle()
        fits = asyncio.create_task(hold(room, LARGE, asyncio.Event()))
        await settle()
        assert room._waiting
        too_large.cancel()
        await settle()
        assert not room._waiting, "the one behind still waits"
        for task in (holder, fits):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(story())
