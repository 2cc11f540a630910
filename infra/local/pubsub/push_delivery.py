"""Push delivery for one subscription: the pushes in flight, the window that limits them, and retries.

Delivery is at least once: a message leaves the backlog only after an acknowledging status.
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from yarl import URL

from infra.local.journal import Journal
from infra.local.pubsub.backlog import Backlog, BacklogEntry
from infra.local.pubsub.envelope import push_body, push_headers

# cloud.google.com/pubsub/docs/push#receive_push: every other status, also 203 and 206, is a refusal. The page
# also names 102, an interim status in HTTP (RFC 9110, 15.2): the final status after it counts.
ACKNOWLEDGING = frozenset({200, 201, 202, 204})
# The service allows thousands. On one machine more pushes only lengthen queues (4,100/s at 300, 3,600/s at 1,000).
MAX_IN_FLIGHT = 250
MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024
# The service backs off up to 60 s; a developer should not wait that long for a restarted receiver.
MIN_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 10.0
_LARGE_BYTES = 512 * 1024
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
}


class TokenSource(Protocol):
    """A signer of push tokens, such as ``infra.local.token_signer.Signer``."""

    def push_token(self, email: str, audience: str) -> str:
        """Return a token that is valid for at least half an hour; cheap enough for every push."""
        ...


class Outcomes(Protocol):
    """The subscription of the pushes: it takes back each entry, with or without an acknowledgement."""

    def acknowledge(self, entry: BacklogEntry) -> None:
        """Remove an acknowledged entry."""

    def refuse(self, entry: BacklogEntry) -> None:
        """Return an entry to the backlog."""


@dataclass(frozen=True)
class PushTarget:
    """The endpoint, audience and account for pushes. ``email`` is empty for pushes without a token."""

    subscription: str
    url: URL
    email: str
    audience: str
    deadline_seconds: float
    counts_attempts: bool
    is_unwrapped: bool
    writes_metadata: bool

    @classmethod
    def of(cls, subscription: Any) -> "PushTarget | None":
        """Read the target of a Subscription; None without a push endpoint, and if it is detached."""
        config = subscription.push_config
        if not config.push_endpoint or subscription.detached:
            return None
        token = config.oidc_token
        return cls(
            subscription=subscription.name,
            url=URL(config.push_endpoint),
            email=token.service_account_email,
            audience=token.audience or config.push_endpoint,
            deadline_seconds=subscription.ack_deadline_seconds,
            counts_attempts=subscription.HasField("dead_letter_policy"),
            is_unwrapped=config.HasField("no_wrapper"),
            writes_metadata=config.no_wrapper.write_metadata,
        )


class Pusher:
    """Pushes one backlog to one target, and reports each outcome."""

    def __init__(
        self,
        backlog: Backlog,
        http: aiohttp.ClientSession,
        tokens: TokenSource,
        outcomes: Outcomes,
        journal: Journal,
    ) -> None:
        self.target: PushTarget | None = None
        self.pauses = True  # False while a retry policy delays each message separately
        self._backlog = backlog
        self._http = http
        self._tokens = tokens
        self._outcomes = outcomes
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._window = 1
        self._failures = 0
        self._resume: asyncio.TimerHandle | None = None

    def fill(self) -> None:
        """Start pushes up to the window."""
        target = self.target
        while target and not self._resume and len(self._tasks) < self._window and self._bytes < MAX_BYTES_IN_FLIGHT:
            entry = self._backlog.take()
            if entry is None:
                return
            if target.counts_attempts:
                entry.attempts += 1
            task = self._loop.create_task(self._push(entry, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the pushes in flight and wait for their end."""
        self.target = None
        if self._resume:
            self._resume.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _push(self, entry: BacklogEntry, target: PushTarget) -> None:
        attempt = entry.attempts if target.counts_attempts else None
        body = bytes(entry.message.data)
        if not target.is_unwrapped:
            body = push_body(entry.message, target.subscription, attempt)
        metadata = push_headers(entry.message, target.subscription, attempt) if target.writes_metadata else {}
        self._bytes += len(body)
        number = {"subscription": target.subscription, "message": entry.message.message_id, "push": entry.holds}
        self._journal.write("pushed", **number)
        status = await self._post(body, target, metadata)
        self._journal.write("answered", **number, status=status)
        self._bytes -= len(body)
        self._tasks.discard(asyncio.current_task())
        if status in ACKNOWLEDGING:
            self._window = min(self._window + 1, MAX_IN_FLIGHT)
            self._failures = 0
            self._outcomes.acknowledge(entry)
        else:
            self._slow_down()
            self._outcomes.refuse(entry)
        self.fill()

    async def _post(self, body: bytes, target: PushTarget, metadata: Mapping[str, str]) -> int:
        """Return the status; 0 without an answer before the acknowledgement deadline."""
        headers = {**metadata, **_HEADERS}
        if target.email:
            headers = {**headers, "Authorization": "Bearer " + self._tokens.push_token(target.email, target.audience)}
        timeout = aiohttp.ClientTimeout(total=target.deadline_seconds)
        # aiohttp writes bytes at once, which blocks the loop for large bodies; it writes a file in parts.
        data = body if len(body) < _LARGE_BYTES else io.BytesIO(body)
        try:
            async with self._http.post(
                target.url, data=data, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    def _slow_down(self) -> None:
        """Halve the window; without a retry policy pause the whole subscription, as the service does."""
        self._window = max(1, self._window // 2)
        if not self.pauses or self._resume:
            return
        pause = min(MIN_PAUSE_SECONDS * 2**self._failures, MAX_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._resume = self._loop.call_later(pause, self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        self.fill()
