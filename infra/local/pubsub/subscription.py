"""One subscription: its resource, its backlog, its pulls and its push."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from infra.local.journal import Journal
from infra.local.pubsub.backlog import Backlog, BacklogEntry
from infra.local.pubsub.filters import compile_filter
from infra.local.pubsub.push_delivery import Pusher, PushTarget, TokenSource

DeadLetter = Callable[["Subscription", BacklogEntry], bool]


class Subscription:
    """``resource`` is the google.pubsub.v1.Subscription; replace it through ``configure`` only.

    ``dead_letter`` publishes an entry to the dead-letter topic and returns whether that succeeded.
    """

    def __init__(
        self,
        resource: Any,
        http: aiohttp.ClientSession,
        tokens: TokenSource,
        dead_letter: DeadLetter,
        journal: Journal,
    ) -> None:
        self.backlog = Backlog(self.notify, self.refuse)
        self.backlog.ordered = resource.enable_message_ordering
        self._pusher = Pusher(self.backlog, http, tokens, self, journal)
        self._dead_letter = dead_letter
        self._journal = journal
        self._waiting: list[asyncio.Future[None]] = []
        self.configure(resource)

    @property
    def name(self) -> str:
        """The full name, ``projects/P/subscriptions/S``."""
        name: str = self.resource.name
        return name

    def configure(self, resource: Any) -> None:
        """Apply a changed resource at once: no further push starts to an old endpoint."""
        self.resource = resource
        self.passes = compile_filter(resource.filter)
        self._pusher.target = PushTarget.of(resource)
        self._journal.write("configured", subscription=resource.name, push_endpoint=resource.push_config.push_endpoint)
        self._pusher.pauses = not resource.HasField("retry_policy")
        self.notify()

    def notify(self) -> None:
        """Push a ready entry, or wake the waiting pulls."""
        self._pusher.fill()
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def ready(self, seconds: float) -> None:
        """Wait up to ``seconds`` for a ready entry."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait((future,), timeout=seconds)

    def lease(self, limit: int, max_bytes: int, seconds: float) -> list[BacklogEntry]:
        """Hold up to ``limit`` entries, of about ``max_bytes``, for a pull; each comes back after ``seconds``."""
        entries: list[BacklogEntry] = []
        size = 0
        while len(entries) < limit and size < max_bytes and (entry := self.backlog.take()):
            if self.resource.HasField("dead_letter_policy"):
                entry.attempts += 1
            self.backlog.hold_for(entry, seconds)
            entries.append(entry)
            size += len(entry.message.data)
        return entries

    def acknowledge(self, entry: BacklogEntry) -> None:
        """Remove an entry for good."""
        self._journal.write("acknowledged", subscription=self.name, message=entry.message.message_id)
        self.backlog.remove(entry)

    def refuse(self, entry: BacklogEntry) -> None:
        """Take back a held entry without acknowledgement: dead-letter it, or let it rest as its policy says."""
        entry.failures += 1
        if self._is_spent(entry) and self._dead_letter(self, entry):
            self.backlog.remove(entry)
            return
        self.backlog.rest(entry, self._delay(entry))

    def detach(self) -> None:
        """Drop the backlog and deliver nothing from now on; the broker adds no more messages."""
        detached = type(self.resource)()
        detached.CopyFrom(self.resource)
        detached.detached = True
        self.configure(detached)
        self.backlog.clear()

    async def close(self) -> None:
        """Stop the pushes and timers."""
        self.backlog.close()
        await self._pusher.close()

    def _is_spent(self, entry: BacklogEntry) -> bool:
        resource = self.resource
        if not resource.HasField("dead_letter_policy"):
            return False
        return bool(entry.attempts >= resource.dead_letter_policy.max_delivery_attempts)

    def _delay(self, entry: BacklogEntry) -> float:
        if not self.resource.HasField("retry_policy"):
            return 0.0
        policy = self.resource.retry_policy
        least: float = policy.minimum_backoff.ToTimedelta().total_seconds()
        most: float = policy.maximum_backoff.ToTimedelta().total_seconds()
        return min(least * 2.0 ** min(entry.failures - 1, 30), most)
