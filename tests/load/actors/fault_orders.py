"""Order faults from the local cloud, and the seeded timetable of the chaos stage."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from tests.support.local_cloud import Cloud

OUTAGE_SECONDS = 30.0
SLOW_SECONDS = 20.0
KEY_OUTAGE_SECONDS = 15.0
# The receiver asks for an unknown key at most once a minute. Google announces a key days before it signs with it; the
# local cloud does not, so a new key within a minute of the last fetch would be refused rightly.
ROTATION_SECONDS = 65.0
# The listener treats them differently: worth a retry, useless to retry, and a stream that says nothing.
LISTEN_ENDINGS = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "CANCELLED", "PERMISSION_DENIED", "mute")
CERTIFICATE_FAULTS = ("error", "slow", "html", "empty", "half")


@dataclass
class FaultOrders:
    """Breaks one local cloud. ``said`` has the time and the sentence of each fault."""

    cloud: Cloud
    url: str
    chance: random.Random
    said: list[tuple[float, str]] = field(default_factory=list)
    over_at: float = 0.0
    keys_fetched_at: Callable[[], float] = lambda: 0.0

    async def order(self, kind: str, **arguments: object) -> None:
        """Order a fault by its kind."""
        order = {"kind": kind, **arguments}
        async with aiohttp.ClientSession() as http, http.post(f"{self.url}/fault", json=order) as answer:
            assert answer.status == 200, f"the fault {kind} was refused: {await answer.text()}"

    async def cut_listen(self, status: str = "UNAVAILABLE") -> None:
        """End the open Listen streams."""
        self._say(f"Listen ends: {status}")
        await self.order("cut", status=status)

    async def rotate_keys(self) -> None:
        """Sign with a new key; the key before the last one is retired."""
        self._say("signing key rotated")
        await self._rotate()

    async def _rotate(self) -> None:
        await asyncio.to_thread(self.cloud.rotate_keys)

    def _is_due(self, turn: Callable[[], Awaitable[None]]) -> bool:
        rotates = turn in (self.rotate_keys, self.break_certificates)
        return not rotates or time.time() - self.keys_fetched_at() >= ROTATION_SECONDS

    async def duplicate(self, fraction: float) -> None:
        """Push a fraction of the messages twice."""
        await self.order("duplicates", fraction=fraction)

    async def chaos(self, seconds: float, pause_seconds: float) -> None:
        """Cause a random fault every ``pause_seconds``, and none before the last one is over."""
        deadline = time.monotonic() + seconds
        turns: list[Callable[[], Awaitable[None]]] = []
        while time.monotonic() < deadline:
            if not turns:
                # Each kind once in a round, in a random order, so that a run of ten minutes has each five times.
                turns = [
                    self.kill_receiver,
                    self.refuse_firestore,
                    self.slow_firestore,
                    self.lose_replies,
                    self.restart_viewer,
                    self.end_listen,
                    self.rotate_keys,
                    self.break_certificates,
                ]
                self.chance.shuffle(turns)
            due = [turn for turn in turns if self._is_due(turn)]
            if due:
                turns.remove(due[0])
                await due[0]()
            await asyncio.sleep(max(pause_seconds, self._over_in()))

    async def kill_receiver(self) -> None:
        """Kill the receiver; the local cloud starts it again."""
        self._kill("receiver", signal.SIGKILL)

    async def restart_viewer(self) -> None:
        """End the viewer as a new revision does."""
        self._kill("viewer", signal.SIGTERM)

    async def refuse_firestore(self) -> None:
        """Let every call of Firestore fail."""
        status = self.chance.choice(("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED"))
        self._say(f"Firestore refuses: {status}", OUTAGE_SECONDS)
        await self.order("refuse", status=status, seconds=OUTAGE_SECONDS)

    async def slow_firestore(self) -> None:
        """Let every write take longer than the receiver waits."""
        self._say("Firestore is slow", SLOW_SECONDS)
        await self.order("slow", seconds=10, delay=SLOW_SECONDS)

    async def lose_replies(self) -> None:
        """Let writes happen and their replies get lost."""
        self._say("Firestore's replies get lost", 5)
        await self.order("lose_replies", seconds=5)

    async def end_listen(self) -> None:
        """End or silence the Listen streams."""
        ending = self.chance.choice(LISTEN_ENDINGS)
        if ending == "mute":
            self._say("Listen falls silent")
            await self.order("mute")
        else:
            await self.cut_listen(ending)

    async def break_certificates(self) -> None:
        """Break the page of the signing certificates, and rotate, so that it is asked."""
        mode = self.chance.choice(CERTIFICATE_FAULTS)
        self._say(f"certificates: {mode}", KEY_OUTAGE_SECONDS)
        await self.order("certificates", mode=mode, seconds=KEY_OUTAGE_SECONDS)
        await self._rotate()

    def _kill(self, name: str, number: signal.Signals) -> None:
        self._say(f"{name} ends by {number.name}", 10)
        if pid := self.cloud.pid(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _over_in(self) -> float:
        return self.over_at - time.time()

    def _say(self, sentence: str, seconds: float = 0.0) -> None:
        self.said.append((time.time(), sentence))
        self.over_at = max(self.over_at, time.time() + seconds)
