"""One run on one local cloud: its actors, its ledger, and the samples of each second."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.load.actors.attackers import Attackers
from tests.load.actors.fault_orders import FaultOrders
from tests.load.actors.publisher import Publisher
from tests.load.actors.stream_client import StalledClient, StreamClient
from tests.load.actors.visitor import Visit, Visitor
from tests.load.check.ledger import Ledger
from tests.load.check.reader import JournalReader
from tests.load.watch.processes import Usage, loopback_sockets, usage_of, usage_of_one
from tests.load.watch.samples import Sample, percentiles
from tests.support.local_cloud import Cloud

MAX_RSS_BYTES = 4 * 2**30
WARM_UP_MESSAGES = 10
LIVE_SECONDS = 20.0
FLAP_SECONDS = 2.0
LIST_PAGE = "/messages"


class WatchdogError(Exception):
    """A process took more memory than a stage may take."""


@dataclass(frozen=True)
class Audience:
    """How many stream clients of each kind there are."""

    steady: int = 0
    flapping: int = 0
    stalled: int = 0


@dataclass
class Scene:
    """The actors of one run. ``scale`` shortens every duration and count of a stage, ``rate`` lowers its rates."""

    cloud: Cloud
    journal: Path
    faults_url: str
    seed: int
    scale: float = 1.0
    rate: float = 1.0
    prints: bool = True
    samples: list[Sample] = field(default_factory=list)
    clients: list[StreamClient] = field(default_factory=list)
    stalled: list[StalledClient] = field(default_factory=list)
    # Seconds from publishing to the first arrival at a client, with the time of the arrival.
    to_client: list[tuple[float, float]] = field(default_factory=list)
    # The usage of the viewer after the audience came and left once, and after it left for good.
    viewer_before: Usage = field(default_factory=Usage)
    viewer_after: Usage = field(default_factory=Usage)
    attackers: Attackers | None = None
    sign_ins: list[Visit] = field(default_factory=list)
    began_at: float = 0.0

    def __post_init__(self) -> None:
        topic, subscription = self.cloud.topic_path, self.cloud.subscription_path
        self.ledger = Ledger(topic, subscription)
        self.publisher = Publisher(self.cloud["pubsub"], topic, self.seed)
        self.faults = FaultOrders(self.cloud, self.faults_url, random.Random(self.seed))
        self.faults.keys_fetched_at = lambda: self.ledger.keys_fetched_at
        self.admin = Visitor(self.cloud["viewer"])
        self._reader = JournalReader(self.journal)
        self._tasks: list[asyncio.Task[None]] = []
        self._failed: BaseException | None = None

    def count(self, number: int) -> int:
        """Return a stage's number of messages in this scale."""
        return max(1, round(number * self.scale))

    @contextlib.asynccontextmanager
    async def opened(self, audience: Audience, *, measures_return: bool) -> AsyncIterator[None]:
        """Sign in, let the audience watch, warm up; afterwards all have left.

        ``measures_return`` lets the audience come and leave once before, for the comparison of threads and files.
        """
        await self.admin.sign_in(self.cloud["admin_user"], self.cloud["admin_password"])
        if measures_return:
            await self._rehearse(audience)
        try:
            await self._enter(audience)
            await self.publisher.burst(WARM_UP_MESSAGES, 1, 200)
            await self._until_stored()
            self._start(self.admin.read_pages(LIST_PAGE))
            self.began_at = time.time()
            self._start(self._sample())
            yield
        finally:
            await self._leave()
            if measures_return:
                await asyncio.sleep(5)
                self.viewer_after = self._usage("viewer")
            await self.publisher.close()
            await self.admin.close()
            self.read_journal()
            self._reader.close()

    def read_journal(self) -> None:
        """Take the new events of the journal."""
        self.ledger.take(self._reader.read())

    def check_watchdog(self) -> None:
        """Raise the watchdog's error if it has barked."""
        if self._failed:
            raise self._failed

    async def _enter(self, audience: Audience) -> None:
        for number in range(audience.steady + audience.flapping):
            is_flapping = number >= audience.steady
            name = f"{'flapping' if is_flapping else 'steady'}-{number}"
            # Each comes and goes by itself, not all together.
            leave = FLAP_SECONDS * self.faults.chance.uniform(0.8, 1.2) if is_flapping else None
            self.clients.append(StreamClient(self.admin, name, leave))
            self._start(self.clients[-1].run())
        for _ in range(audience.stalled):
            self.stalled.append(StalledClient(self.admin, self.cloud["viewer"]))
            await self.stalled[-1].open()
        deadline = time.monotonic() + LIVE_SECONDS
        while not all(client.log.live_at for client in self.clients):
            self.check_watchdog()
            assert time.monotonic() < deadline, f"not every stream was live after {LIVE_SECONDS:g} s"
            await asyncio.sleep(0.05)

    async def _rehearse(self, audience: Audience) -> None:
        """Open and close all streams once: gunicorn's pool keeps the threads that it has started."""
        for _ in range(audience.steady + audience.flapping + audience.stalled):
            self.stalled.append(StalledClient(self.admin, self.cloud["viewer"]))
            await self.stalled[-1].open()
        await self._leave()
        await asyncio.sleep(5)
        self.viewer_before = self._usage("viewer")

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for one in self.stalled:
            one.close()
        if not self.samples:
            self.stalled.clear()

    async def _until_stored(self) -> None:
        deadline = time.monotonic() + LIVE_SECONDS
        self.read_journal()
        while self.ledger.backlog:
            assert time.monotonic() < deadline, "the first messages were not stored"
            await asyncio.sleep(0.05)
            self.read_journal()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._note_end)
        self._tasks.append(task)

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception():
            self._failed = self._failed or task.exception()

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            sample = self._look()
            self.samples.append(sample)
            if self.prints:
                print(sample.line(), flush=True)
            for name in ("receiver", "viewer", "cloud"):
                used: Usage = getattr(sample, name)
                if used.rss_bytes > MAX_RSS_BYTES:
                    raise WatchdogError(f"the {name} takes {used.rss_bytes / 2**30:.1f} GiB")

    def _look(self) -> Sample:
        self.read_journal()
        second = self.ledger.second()
        arrivals = [found for client in self.clients for found in self._arrivals(client)]
        self.to_client += arrivals
        if self.stalled:
            sockets = loopback_sockets()
            for one in self.stalled:
                one.look(sockets)
        now = time.time()
        return Sample(
            second=now - self.began_at,
            at=now,
            published=second.published,
            acknowledged=second.acknowledged,
            refused=second.refused,
            push=percentiles(second.push_seconds),
            to_client=percentiles([seconds for _, seconds in arrivals]),
            backlog=self.ledger.backlog,
            streams=sum(client.is_connected for client in self.clients) + sum(one.is_open for one in self.stalled),
            receiver=self._usage("receiver"),
            viewer=self._usage("viewer"),
            cloud=usage_of_one(self.cloud.process.pid),
        )

    def _usage(self, service: str) -> Usage:
        return usage_of(self.cloud.pid(service), urlsplit(self.cloud[service]).port or 80)

    def _arrivals(self, client: StreamClient) -> list[tuple[float, float]]:
        frames, client.arrivals = client.arrivals, []
        found = []
        for frame in frames:
            document = self.ledger.documents.get(frame.document)
            published = document and self.ledger.published.get(document.message)
            if published and published.at >= self.began_at:
                found.append((frame.at, frame.at - published.at))
        return found
