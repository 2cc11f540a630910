"""The feed: one per process, shared by all clients; it listens to Firestore only while at least one client is open.

It owns the threads of each watched period and the state that the page shows. ``web.live.listener`` keeps the Firestore
stream open; ``web.live.client_feed`` decides what one client gets. The constructor does no I/O and starts no thread,
because gunicorn may fork after it.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader
from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.access.cpu_share import CpuShares
from web.access.fair_shares import BACKGROUND
from web.formats import iso
from web.live.catch_up import MAX_CONCURRENT_READS, CatchUp
from web.live.client_feed import ClientFeed
from web.live.client_filter import ClientFilter
from web.live.frame_cache import ClientFrames, FrameCache, Render
from web.live.listener import FeedListener, FeedTiming
from web.live.recent_messages import RecentMessages
from web.live.sse import Position, body

Status = Literal["idle", "live", "reconnecting"]
EVERY_MESSAGE = ClientFilter()
_CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class FeedState:
    """The state of the feed. ``since`` is aware UTC; ``error`` is a sentence, empty unless reconnecting.

    The sentence may name addresses and indexes, so only the log has it.
    """

    status: Status
    since: datetime
    error: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the data of the stream's ``feed`` event and of /ready."""
        return {"status": self.status, "since": iso(self.since)}


class Feed:
    """The changes in Firestore, for any number of clients."""

    def __init__(
        self,
        *,
        database: Database,
        messages: MessageReader,
        subscriptions: Collection[str],
        log: Logger,
        render: Render,
        observe_deliveries: Callable[[], object],
        describe_delivery: Callable[[str, Mapping[str, Any]], dict[str, object]] | None = None,
        timing: FeedTiming | None = None,
        clock: Callable[[], float] = time.monotonic,
        max_catch_up_reads: int = MAX_CONCURRENT_READS,
        cpu: CpuShares | None = None,
    ) -> None:
        """Call ``observe_deliveries`` every ten seconds while a client is open; ``render`` makes the usual rows.

        ``cpu`` has the shares of the persons who watch.
        ``describe_delivery`` makes the ``delivery`` event of a subscription's document; by default it has the fields.
        """
        self._database, self._messages, self._log = database, messages, log
        self._subscriptions = frozenset(subscriptions)
        self._observe_deliveries = observe_deliveries
        self._describe_delivery = describe_delivery or _stored_fields
        self._timing = timing or FeedTiming()
        self._clock = clock
        self._cpu = cpu or CpuShares(BACKGROUND)
        self._recent = RecentMessages()
        self._catch_up = CatchUp(self._recent, messages, max_catch_up_reads)
        self._frames = FrameCache(render, log)
        self._lock = threading.Lock()
        self._clients: set[ClientFeed] = set()
        self._left_at = 0.0
        self._period: _Period | None = None
        self._state = FeedState("idle", datetime.now(UTC))
        self._send_state()

    @property
    def state(self) -> FeedState:
        """The current state."""
        return self._state

    @property
    def client_count(self) -> int:
        """The number of open clients."""
        return len(self._clients)

    def watch(
        self,
        position: Position,
        client_filter: ClientFilter = EVERY_MESSAGE,
        *,
        render: Render | None = None,
        person: str = "",
    ) -> ClientFeed:
        """Open a client at a position: it gets all states, and the messages that its filter accepts.

        ``render`` makes rows of another kind than the feed's. ``person`` is the one whose CPU it uses. Close the
        returned ClientFeed when done.
        """
        client = ClientFeed(
            recent=self._recent,
            catch_up=self._catch_up,
            frames=ClientFrames(self._frames.rendered_by(render) if render else self._frames, client_filter),
            position=position,
            person=person,
            share=self._cpu.of(person),
            log=self._log,
            on_close=self._remove,
        )
        with self._lock:
            self._clients.add(client)
            if self._recent.closed:
                return client
            if self._period is None:
                self._period = _Period(self, self._database, self._messages, self._log, self._timing)
                self._period.start()
            elif len(self._clients) == 1:
                self._period.observe_now()
        return client

    def close(self) -> None:
        """End every client and every thread, for good."""
        self._recent.close()
        with self._lock:
            self._end_period()

    def end_if_unused(self) -> None:
        """End the period if the last client left ``linger_seconds`` ago. The period's thread calls this."""
        with self._lock:
            unused_seconds = self._clock() - self._left_at
            if not self._clients and unused_seconds >= self._timing.linger_seconds:
                self._end_period()

    def observe(self) -> None:
        """Observe the deliveries if a client is open. The period's thread calls this."""
        if not self._clients:
            return
        try:
            self._observe_deliveries()
        except Exception as exc:  # noqa: BLE001 - the observing thread must survive
            self._log.error("Observing the subscriptions failed.", error=repr(exc))

    def on_begin(self, newest: Cursor, start: datetime) -> None:
        """Note that the listener starts at the newest message."""
        self._recent.begin(newest, start)

    def on_message(self, message: Message) -> None:
        """Publish a message, or a new state of one."""
        self._recent.publish(message)

    def on_subscription(self, subscription: str, fields: dict[str, Any]) -> None:
        """Publish a subscription's changed document, if it is monitored."""
        if subscription in self._subscriptions:
            frame = body("delivery", self._describe_delivery(subscription, fields))
            self._recent.set_state(f"delivery {subscription}", frame)

    def on_live(self) -> None:
        """Note that the listener has caught up."""
        self._set_state("live")

    def on_lost(self, problem: str) -> None:
        """Note that the listener reconnects."""
        self._set_state("reconnecting", problem)

    def _remove(self, client: ClientFeed) -> None:
        with self._lock:
            self._clients.discard(client)
            if not self._clients:
                self._left_at = self._clock()

    def _end_period(self) -> None:
        if self._period:
            self._period.stop()
            self._period = None
            self._recent.end()
            self._set_state("idle")

    def _set_state(self, status: Status, error: str = "") -> None:
        before = self._state
        self._state = FeedState(status, before.since if before.status == status else datetime.now(UTC), error)
        self._send_state()

    def _send_state(self) -> None:
        self._recent.set_state("feed", body("feed", self._state.as_json()))


def _stored_fields(subscription: str, fields: Mapping[str, Any]) -> dict[str, object]:
    return {**{name: _json_value(value) for name, value in fields.items()}, "subscription": subscription}


def _json_value(value: object) -> str | bool | int | None:
    """Return a field as a JSON value; None for a type that Subscope does not write there."""
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, str | bool | int) else None


class _Period:
    """The time from the first client's arrival until a while after the last one left: a listener and three threads."""

    def __init__(
        self, feed: Feed, database: Database, messages: MessageReader, log: Logger, timing: FeedTiming
    ) -> None:
        self._feed, self._log, self._timing = feed, log, timing
        self._listener = FeedListener(database, messages, handler=feed, log=log, timing=timing)
        self._stopped = threading.Event()
        self._observe_soon = threading.Event()

    def start(self) -> None:
        for name, run in (("listen", self._listener.run), ("check", self._check), ("observe", self._observe)):
            threading.Thread(target=run, name=f"feed-{name}", daemon=True).start()

    def observe_now(self) -> None:
        self._observe_soon.set()

    def stop(self) -> None:
        self._stopped.set()
        self._observe_soon.set()
        self._listener.stop()

    def _check(self) -> None:
        seconds = min(_CHECK_SECONDS, self._timing.silence_seconds / 4)
        while not self._stopped.wait(seconds):
            try:
                self._feed.end_if_unused()
                self._listener.check()
            except Exception as exc:  # noqa: BLE001 - the thread must survive an error that we did not foresee
                self._log.error("Checking the feed failed.", error=repr(exc))

    def _observe(self) -> None:
        while not self._stopped.is_set():
            self._observe_soon.clear()
            self._feed.observe()
            self._observe_soon.wait(self._timing.observe_seconds)
