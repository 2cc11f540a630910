"""The feed: one per process, shared by all watchers, running only while somebody watches.

It owns the watched period's threads and the state that people see. What a stream of Firestore needs to stay open is
``web.live.listener``'s; what a client gets is ``web.live.client_feed``'s. Constructing it does no I/O and
starts no thread, because gunicorn forks after it may have been made.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from infra.firestore.client import Database
from infra.firestore.message_reader import EVERYTHING, MessageReader, Selection
from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from infra.settings import ViewerSettings
from web.formats import iso
from web.live.client_feed import ClientFeed, Predicate
from web.live.frame_cache import FrameCache, Render
from web.live.listener import FeedListener, FeedTiming
from web.live.recent_messages import RecentMessages
from web.live.sse import Position, body

Status = Literal["idle", "live", "reconnecting"]
_TICK_SECONDS = 0.5


@dataclass(frozen=True)
class FeedState:
    """What the page and /ready show. ``since`` is aware UTC; ``error`` is a sentence, empty unless reconnecting."""

    status: Status
    since: datetime
    error: str = ""

    def as_json(self) -> dict[str, str]:
        """As the stream's ``feed`` event and /ready carry it."""
        return {"status": self.status, "since": iso(self.since), "error": self.error}


def everything(_: Message) -> bool:
    """The predicate of no filter."""
    return True


class Feed:
    """Firestore's changes, handed to every watcher."""

    def __init__(
        self,
        database: Database,
        messages: MessageReader,
        settings: ViewerSettings,
        log: Logger,
        render: Callable[[Message], str],
        while_watched: Callable[[], object],
        *,
        timing: FeedTiming | None = None,
    ) -> None:
        self._database, self._messages, self._log = database, messages, log
        self._monitored = frozenset(settings.subscriptions)
        self._while_watched = while_watched
        self._timing = timing or FeedTiming()
        self._hub = RecentMessages()
        self._frames = FrameCache(render, log)
        self._lock = threading.Lock()
        self._watchers: set[ClientFeed] = set()
        self._deserted_at = 0.0
        self._period: _Period | None = None
        self._state = FeedState("idle", datetime.now(UTC))
        self._show_state()

    @property
    def state(self) -> FeedState:
        """The state now."""
        return self._state

    def watch(
        self,
        position: Position,
        selection: Selection = EVERYTHING,
        accepts: Predicate = everything,
        render: Render | None = None,
    ) -> ClientFeed:
        """Frames from a position on: messages of ``selection`` that ``accepts`` takes, and all states.

        ``selection`` narrows what is read from Firestore; ``accepts`` alone decides. ``render`` is for rows of another
        kind than the feed's. Close the watcher when done.
        """
        frames = self._frames.rendered_by(render) if render else self._frames
        # The number in the ring is taken here, before anything is read: nothing can fall between.
        watcher = ClientFeed(self._hub, frames, self._messages, self._log, position, selection, accepts, self._left)
        with self._lock:
            self._watchers.add(watcher)
            if self._hub.closed:
                return watcher
            if self._period is None:
                self._period = _Period(self, self._database, self._messages, self._log, self._timing)
                self._period.start()
            elif len(self._watchers) == 1:
                self._period.observe_now()
        return watcher

    @property
    def client_count(self) -> int:
        """The number of open clients."""
        return len(self._watchers)

    def close(self) -> None:
        """End every watcher and every thread; for good."""
        self._hub.close()
        with self._lock:
            self._end_period()

    def end_if_deserted(self) -> None:
        """End the period when the last watcher left long enough ago; the period itself asks."""
        with self._lock:
            if not self._watchers and time.monotonic() - self._deserted_at >= self._timing.linger_seconds:
                self._end_period()

    def observe(self) -> None:
        """Call ``while_watched`` when somebody watches."""
        if not self._watchers:
            return
        try:
            self._while_watched()
        except Exception as exc:  # noqa: BLE001 - the observing thread must survive
            self._log.error("Observing the subscriptions failed.", error=repr(exc))

    # What the follower tells.

    def begin(self, newest: Cursor, start: datetime) -> None:
        """A period begins at the newest message."""
        self._hub.begin(newest, start)

    def message(self, message: Message) -> None:
        """A message came, or a new state of one."""
        self._hub.publish(message)

    def subscription(self, subscription: str, fields: dict[str, Any]) -> None:
        """A subscription's document changed."""
        if subscription in self._monitored:
            plain = {name: _plain(value) for name, value in fields.items()}
            self._hub.show(f"delivery {subscription}", body("delivery", {**plain, "subscription": subscription}))

    def live(self) -> None:
        """The stream has caught up."""
        self._set_state("live")

    def reconnecting(self, problem: str) -> None:
        """The stream was lost."""
        self._set_state("reconnecting", problem)

    def _left(self, watcher: ClientFeed) -> None:
        with self._lock:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._deserted_at = time.monotonic()

    def _end_period(self) -> None:
        if self._period:
            self._period.stop()
            self._period = None
            self._hub.end()
            self._set_state("idle")

    def _set_state(self, status: Status, error: str = "") -> None:
        before = self._state
        self._state = FeedState(status, before.since if before.status == status else datetime.now(UTC), error)
        self._show_state()

    def _show_state(self) -> None:
        self._hub.show("feed", body("feed", self._state.as_json()))


def _plain(value: object) -> str | bool | int | None:
    """A field as JSON; None for what Subscope does not write there."""
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, str | bool | int) else None


class _Period:
    """From the first watcher's coming to a while after the last one left: a follower and its three threads."""

    def __init__(
        self, feed: Feed, database: Database, messages: MessageReader, log: Logger, timing: FeedTiming
    ) -> None:
        self._feed, self._log, self._timing = feed, log, timing
        self._follower = FeedListener(database, messages, feed, log, timing)
        self._stopped = threading.Event()
        self._observe = threading.Event()

    def start(self) -> None:
        for name, run in (("follow", self._follower.run), ("check", self._check), ("observe", self._observing)):
            threading.Thread(target=run, name=f"feed-{name}", daemon=True).start()

    def observe_now(self) -> None:
        self._observe.set()

    def stop(self) -> None:
        self._stopped.set()
        self._observe.set()
        self._follower.stop()

    def _check(self) -> None:
        tick = min(_TICK_SECONDS, self._timing.silence_seconds / 4)
        while not self._stopped.wait(tick):
            try:
                self._feed.end_if_deserted()
                self._follower.check()
            except Exception as exc:  # noqa: BLE001 - the thread must survive what we did not foresee
                self._log.error("Checking the feed failed.", error=repr(exc))

    def _observing(self) -> None:
        while not self._stopped.is_set():
            self._observe.clear()
            self._feed.observe()
            self._observe.wait(self._timing.observe_seconds)
