"""Run the programs of the local cloud: each in its own process group, with a log file, restarted when it ends."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.processes import reaper
from infra.local.processes.child_output import ChildOutput

MIN_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 5.0
HEALTHY_SECONDS = 10.0
GRACE_SECONDS = 3.5
ANSWER_SECONDS = 2.0


class StartError(Exception):
    """A program did not start; the text is one line for people."""


@dataclass(frozen=True)
class Program:
    """The command of a program, its directory and environment, and the loopback port where it answers HTTP."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    directory: Path
    port: int


class Reaper:
    """The connection to ``infra.local.processes.reaper``, which ends the groups when this process is killed."""

    def __init__(self) -> None:
        command = (sys.executable, "-I", "-S", reaper.__file__)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def add(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def discard(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Close the connection; the reaper then ends the groups that were not discarded."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(reaper.GRACE_SECONDS + 1)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            return


class Child:
    """One program, kept running until ``stop``. Calls ``changed`` after each change of ``pid``."""

    def __init__(
        self, program: Program, logs: Path, reaper: Reaper, say: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self.name = program.name
        self.pid: int | None = None
        self.log = logs / f"{program.name}.log"
        self._program = program
        self._reaper = reaper
        self._say = say
        self._changed = changed
        self._output = ChildOutput(self.log, lambda line: say(f"{program.name}: {line}"))
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._was_ready = False
        self._is_dead = False

    async def start(self) -> None:
        """Start the program and keep it running."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def ready(self, seconds: float) -> None:
        """Wait until the program answers HTTP. Raises StartError when it ends, or takes longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        while not await answers(self._program.port):
            if self._is_dead:
                raise StartError(f"The {self.name} did not start: {self._output.reason or 'no output'} ({self.log})")
            if time.monotonic() > deadline:
                raise StartError(f"The {self.name} did not answer within {seconds:g} s; see {self.log}")
            await asyncio.sleep(0.02)
        self._was_ready = True
        # Delayed: the readiness check is a push without a token, and the receiver has just logged its refusal.
        asyncio.get_running_loop().call_later(0.5, self._output.unmute)

    async def stop(self) -> None:
        """End the program and its children: SIGTERM first, SIGKILL after ``GRACE_SECONDS``."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))
        process = self._process
        if process is None or self.pid is None:
            return
        reaper.end(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        self._bury(process)

    async def _spawn(self) -> None:
        program = self._program
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=program.directory,
            env=dict(program.environ),
            start_new_session=True,
            limit=256 * 1024,
        )
        self._process = process
        self.pid = process.pid
        self._reaper.add(process.pid)
        self._changed()

    async def _keep(self) -> None:
        pause = MIN_PAUSE_SECONDS
        while True:
            process = self._process
            assert process is not None
            started = time.monotonic()
            reading = asyncio.create_task(self._output.copy(process.stdout))
            try:
                status = await process.wait()
                self._bury(process)
                await asyncio.wait((reading,), timeout=1)
            finally:
                reading.cancel()
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = MIN_PAUSE_SECONDS
            if not self._was_ready:
                self._is_dead = True
                return
            self._changed()
            self._say(f"The {self.name} ended ({_ending(status)}); starting it again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
            await self._spawn()

    def _bury(self, process: asyncio.subprocess.Process) -> None:
        # A killed gunicorn leaves workers behind, which would still answer on the port.
        reaper.end(process.pid, signal.SIGKILL)
        self._reaper.discard(process.pid)
        self.pid = None


def _ending(status: int) -> str:
    return f"status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"


async def answers(port: int) -> bool:
    """Tell whether a program answers HTTP on a loopback port.

    An accepted connection is not enough: gunicorn listens before its worker has imported the application.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return (await reader.readline()).startswith(b"HTTP/")
            finally:
                writer.close()
    except OSError:
        return False
