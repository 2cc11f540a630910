"""The stages L0 to L8: the audience, the script, the limit and the targets of each."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from tests.load.actors.attackers import Attackers
from tests.load.actors.visitor import Visit, Visitor
from tests.load.check import targets
from tests.load.check.targets import Target
from tests.load.scene import Audience, Scene

KIB = 1024
DUPLICATES = 0.02
CHAOS_PAUSE_SECONDS = 15.0


@dataclass(frozen=True)
class Stage:
    """One stage. ``script`` returns when everything is published and broken; ``limit_seconds`` bounds it."""

    name: str
    title: str
    script: Callable[[Scene], Awaitable[None]]
    limit_seconds: float
    audience: Audience
    targets: tuple[Target, ...]
    measures_return: bool = False


async def _smoke(scene: Scene) -> None:
    await scene.faults.duplicate(DUPLICATES)
    half = scene.count(250)
    await scene.publisher.burst(half, 4, 200)
    await scene.faults.cut_listen()
    await scene.publisher.burst(half, 4, 200)


async def _steady(scene: Scene) -> None:
    await scene.faults.duplicate(DUPLICATES)
    await scene.publisher.at_rate(100 * scene.rate, 30 * scene.scale, KIB)
    await scene.faults.cut_listen()
    await scene.publisher.at_rate(100 * scene.rate, 30 * scene.scale, KIB)


async def _burst(scene: Scene) -> None:
    await scene.publisher.burst(scene.count(5_000), 64, KIB)


async def _backlog(scene: Scene) -> None:
    subscription = scene.cloud["subscription"]
    await scene.admin.switch(subscription, "stop")
    await scene.publisher.burst(scene.count(10_000), 64, KIB)
    await scene.admin.switch(subscription, "start")


async def _big(scene: Scene) -> None:
    async with asyncio.TaskGroup() as tasks:
        small = tasks.create_task(scene.publisher.at_rate(10 * scene.rate, 150 * scene.scale, KIB))
        await scene.publisher.burst(scene.count(60), 2, 9_900_000)
        await scene.publisher.burst(scene.count(600), 2, 900_000)
        small.cancel()


async def _fan_out(scene: Scene) -> None:
    await scene.publisher.at_rate(50 * scene.rate, 240 * scene.scale, KIB)


async def _chaos(scene: Scene) -> None:
    await scene.faults.duplicate(DUPLICATES)
    seconds = 600 * scene.scale
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(scene.publisher.at_rate(100 * scene.rate, seconds, KIB))
        tasks.create_task(scene.faults.chaos(seconds, CHAOS_PAUSE_SECONDS))


async def _soak(scene: Scene) -> None:
    seconds = 45 * 60 * scene.scale
    publishing = asyncio.ensure_future(scene.publisher.at_rate(20 * scene.rate, seconds, KIB))
    repeated = [
        asyncio.ensure_future(_repeat(60, lambda: _toggle(scene))),
        asyncio.ensure_future(_repeat(120, scene.faults.cut_listen)),
        asyncio.ensure_future(_repeat(120, scene.faults.rotate_keys)),
    ]
    try:
        await publishing
    finally:
        for task in (publishing, *repeated):
            task.cancel()
        await asyncio.gather(publishing, *repeated, return_exceptions=True)
        await scene.admin.switch(scene.cloud["subscription"], "start")


async def _repeat(seconds: float, action: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await action()


async def _toggle(scene: Scene) -> None:
    await scene.admin.switch(scene.cloud["subscription"], "stop")
    await asyncio.sleep(2)
    await scene.admin.switch(scene.cloud["subscription"], "start")


async def _abuse(scene: Scene) -> None:
    attackers = Attackers(scene.cloud["receiver"], scene.cloud["viewer"])
    attack = asyncio.ensure_future(attackers.run())
    signing_in = asyncio.ensure_future(_repeat(5, lambda: _sign_in(scene)))
    try:
        await scene.publisher.at_rate(100 * scene.rate, 110 * scene.scale, KIB)
    finally:
        attack.cancel()
        signing_in.cancel()
        await asyncio.gather(attack, signing_in, return_exceptions=True)
        scene.attackers = attackers


async def _sign_in(scene: Scene) -> None:
    """Sign in as a person of another network does, and note the visit."""
    person = Visitor(scene.cloud["viewer"], "127.0.9.9")
    began = time.monotonic()
    try:
        status = await person.try_sign_in(scene.cloud["admin_user"], scene.cloud["admin_password"])
    except (aiohttp.ClientError, TimeoutError):
        status = 0
    finally:
        await person.close()
    scene.sign_ins.append(Visit(time.time(), status, time.monotonic() - began))


_COMPLETE = (targets.all_stored, targets.streams_complete, targets.no_server_errors)
_FEW = Audience(steady=4, flapping=1)

STAGES = {
    stage.name: stage
    for stage in (
        Stage("L0", "smoke: 500 messages, 4 at a time", _smoke, 30, Audience(steady=1, flapping=1), _COMPLETE),
        Stage(
            "L1",
            "steady: 100 messages/s of 1 KiB for a minute",
            _steady,
            75,
            _FEW,
            (*_COMPLETE, targets.push_p99(0.250), targets.client_p95(2.0)),
        ),
        Stage(
            "L2",
            "burst: 5,000 messages, 64 at a time",
            _burst,
            90,
            _FEW,
            (targets.all_stored, targets.no_server_errors, targets.rss_growth(80), targets.page_p95(1.0)),
        ),
        Stage(
            "L3",
            "backlog: start with 10,000 waiting messages",
            _backlog,
            180,
            _FEW,
            (targets.all_stored, targets.no_server_errors, targets.rss_growth(100), targets.page_p95(1.0)),
        ),
        Stage(
            "L4",
            "big: 60 messages of 9.9 MB and 600 of 900 KB beside small ones",
            _big,
            180,
            _FEW,
            (*_COMPLETE, targets.rss_below(700), targets.small_push_p95(1.0)),
        ),
        Stage(
            "L5",
            "fan-out: 50 streams, 10 of them stalled and 10 flapping",
            _fan_out,
            300,
            Audience(steady=30, flapping=10, stalled=10),
            (*_COMPLETE, targets.stalled_are_cut(30), targets.viewer_returns(5)),
            measures_return=True,
        ),
        Stage(
            "L6",
            "chaos: L1 with a random fault every 15 s",
            _chaos,
            660,
            _FEW,
            (targets.all_stored, targets.valid_tokens_pass),
        ),
        Stage(
            "L7",
            "soak: 20 messages/s with toggles, dropped streams and rotated keys",
            _soak,
            46 * 60,
            Audience(steady=8, flapping=2),
            (
                *_COMPLETE,
                targets.rss_slope(1.0),
                targets.flat_threads_and_files,
                targets.reopens_once_a_drop,
                targets.steady_push_p99(20),
            ),
        ),
        Stage(
            "L8",
            "abuse: garbage tokens, 30 MB bodies, slow headers, wrong passwords beside L1",
            _abuse,
            120,
            _FEW,
            (
                *_COMPLETE,
                targets.push_p99(0.500),
                targets.client_p95(4.0),
                targets.abuse_writes_nothing,
                targets.abuse_meets_no_server_error,
                targets.others_sign_in,
                targets.certificate_fetches(2),
            ),
        ),
    )
}
