"""Run one stage and judge it: the invariants by the journal, then the targets of the stage."""

import asyncio
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from tests.load.check.invariants import (
    RECOVERY_SECONDS,
    check_acknowledged,
    check_gaps,
    check_recovery,
    check_stored,
    check_streams,
)
from tests.load.check.targets import Check
from tests.load.scene import Scene, WatchdogError
from tests.load.stages import Stage
from tests.load.watch.processes import busy_seconds, own_cpu_seconds
from tests.support.local_cloud import Cloud, start_cloud

# After the backlog is empty, the last frames are still on their way; a flapping client is away for up to a second.
LAST_FRAMES_SECONDS = 8.0
MAX_SHOWN = 5
# A busy machine needs longer than the local cloud promises; the verdict must not get lost for it.
STOP_SECONDS = 60.0


@dataclass
class Outcome:
    """The judged run. ``others_cpu`` is how many processors the rest of the machine kept busy."""

    stage: Stage
    scene: Scene
    mutant: str
    began: datetime
    seconds: float
    violations: list[str]
    checks: list[Check]
    others_cpu: float

    @property
    def is_complete(self) -> bool:
        """Whether no invariant is broken and every check passed that does not depend on speed."""
        return not self.violations and all(check.passed for check in self.checks if not check.depends_on_speed)

    @property
    def passed(self) -> bool:
        """Whether everything passed."""
        return not self.violations and all(check.passed for check in self.checks)

    def machine(self) -> str:
        """Return the machine in one line."""
        system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
        return f"{os.cpu_count()} processors, {system}, Python {platform.python_version()}"

    def lines(self) -> Iterator[str]:
        """Yield the verdict."""
        for check in self.checks:
            yield f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.found} (wanted: {check.wanted})"
        for violation in self.violations[:MAX_SHOWN]:
            yield f"FAIL  {violation}"
        if len(self.violations) > MAX_SHOWN:
            yield f"FAIL  and {len(self.violations) - MAX_SHOWN} more"
        if not self.violations:
            yield "pass  invariants I1 to I4"
        mutant = f" with the mutant {self.mutant}" if self.mutant else ""
        yield f"{self.stage.name}{mutant}, seed {self.scene.seed}: {'passed' if self.passed else 'FAILED'}"


@dataclass(frozen=True)
class Options:
    """How to run: the files go to ``directory``; ``scale`` shortens the stage, ``rate`` lowers its rates."""

    directory: Path
    seed: int = 1
    scale: float = 1.0
    rate: float = 1.0
    mutant: str = ""
    prints: bool = True
    recovery_seconds: float = RECOVERY_SECONDS


def run_stage(stage: Stage, options: Options) -> Outcome:
    """Start a local cloud for one stage, run it, and end the cloud."""
    options.directory.mkdir(parents=True, exist_ok=True)
    faults, journal = options.directory / "faults.url", options.directory / "journal.jsonl"
    for left_behind in (faults, options.directory / "ready.json"):
        left_behind.unlink(missing_ok=True)  # by a run that was killed
    environ = {"LOAD_FAULTS_FILE": str(faults), "LOAD_SEED": str(options.seed), "LOAD_MUTANT": options.mutant}
    arguments = ("--no-samples", "--port", "0", "--journal", str(journal))
    with (
        start_cloud(
            options.directory,
            environ=environ,
            arguments=arguments,
            module="tests.load.cloud",
            stop_seconds=STOP_SECONDS,
        ) as cloud,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_run(stage, options, cloud, journal, faults.read_text()))


async def _run(stage: Stage, options: Options, cloud: Cloud, journal: Path, faults_url: str) -> Outcome:
    scene = Scene(cloud, journal, faults_url, options.seed, options.scale, options.rate, options.prints)
    began, start = datetime.now(UTC), time.monotonic()
    busy, own = busy_seconds(), _own_cpu(cloud)
    problems: list[str] = []
    async with scene.opened(stage.audience, measures_return=stage.measures_return):
        try:
            await _perform(stage, scene)
        except (TimeoutError, WatchdogError) as exc:
            problems.append(f"the stage did not end: {str(exc) or f'{stage.limit_seconds:g} s have passed'}")
        recovery, waiting_for = await _recover(scene, options.recovery_seconds)
        await _await_last_frames(scene)
        backlog = int((await asyncio.to_thread(cloud.backlog))["messages"])
        seconds = time.monotonic() - start
        others = (busy_seconds() - busy - (_own_cpu(cloud) - own)) / seconds
    violations = [
        *problems,
        *check_acknowledged(scene.ledger),
        *check_stored(scene.ledger, scene.publisher.payload_of, backlog),
        *check_streams(scene.ledger, [client.log for client in scene.clients]),
        *check_recovery(recovery, waiting_for),
    ]
    checks = [check for target in stage.targets for check in target(scene)]
    if recovery is not None and scene.faults.said:
        checks.append(Check("recovery after the last fault", f"{recovery:.0f} s", "within 120 s", True, False))
    return Outcome(stage, scene, options.mutant, began, seconds, violations, checks, max(0.0, others))


async def _perform(stage: Stage, scene: Scene) -> None:
    """Run the script, at most for the limit of the stage, and until the watchdog barks."""
    script = asyncio.ensure_future(stage.script(scene))
    deadline = time.monotonic() + stage.limit_seconds
    try:
        while not script.done():
            await asyncio.wait((script,), timeout=0.5)
            scene.check_watchdog()
            if time.monotonic() > deadline:
                raise TimeoutError
        await script
    finally:
        script.cancel()
        await asyncio.gather(script, return_exceptions=True)


async def _recover(scene: Scene, seconds: float) -> tuple[float | None, str]:
    """Wait for an empty backlog and a live feed; return the seconds since the last fault, or what is still awaited."""
    begin = max(time.time(), scene.faults.over_at)
    while True:
        scene.read_journal()
        status, feed = await scene.admin.ready()
        waiting_for = ""
        if scene.ledger.backlog:
            waiting_for = f"{scene.ledger.backlog} messages in the backlog"
        elif status != 200 or (scene.clients and feed != "live"):
            waiting_for = f"health: /ready answers {status}, the feed is {feed or 'unknown'}"
        if not waiting_for:
            return max(0.0, time.time() - begin), ""
        if time.time() > begin + seconds:
            return None, waiting_for
        await asyncio.sleep(0.2)


async def _await_last_frames(scene: Scene) -> None:
    deadline = time.monotonic() + LAST_FRAMES_SECONDS
    while time.monotonic() < deadline:
        scene.read_journal()
        if not any(gap for client in scene.clients for gap in check_gaps(scene.ledger, client.log)):
            await asyncio.sleep(1.1)  # one more sample
            return
        await asyncio.sleep(0.3)


def _own_cpu(cloud: Cloud) -> float:
    processes = cloud.ready()["processes"]
    return time.process_time() + own_cpu_seconds(cloud.process.pid, processes["receiver"], processes["viewer"])
