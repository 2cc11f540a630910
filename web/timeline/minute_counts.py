"""Messages per minute of the last hour: Firestore counts them in the background, once for all clients of the process.

A count is billed as one read for each 1,000 messages, and at least one. A closed minute never changes and is counted
once; the open minute at most every 10 s. So the first page costs 60 reads or more, and an hour with open pages about
200, for any number of pages; without an open page it costs nothing.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader, Selection
from infra.logs import Logger
from web.facets.at_once import run_at_once
from web.timeline.delivery_pauses import Pause, read_pauses

MINUTES = 60
MAX_COUNTED = 10_000
REFRESH_SECONDS = 10.0
_MINUTE = timedelta(minutes=1)
# A message can become visible a little after its time.
_LATENESS = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute and the number of its messages; None until they are counted."""

    at: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class Hour:
    """The last 60 minutes, oldest first, the open one last; and the pauses of delivery."""

    minutes: tuple[Minute, ...]
    pauses: tuple[Pause, ...]
    # Whether a refresh is running: until it ends, the counts may be as old as the last request.
    is_refreshing: bool = False

    @property
    def uncounted(self) -> int:
        """The number of minutes that are not counted yet."""
        return sum(minute.count is None for minute in self.minutes)


Count = Callable[[datetime, datetime], int]
ReadPauses = Callable[[datetime, datetime], tuple[Pause, ...]]


class MinuteCounts:
    """The counts of one selection's last hour, refreshed in the background."""

    def __init__(
        self, count: Count, read_pauses: ReadPauses, log: Logger, *, refresh_seconds: float = REFRESH_SECONDS
    ) -> None:
        self._count, self._read_pauses, self._log = count, read_pauses, log
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._counts: dict[datetime, int] = {}
        self._closed: set[datetime] = set()
        self._pauses: tuple[Pause, ...] = ()
        self._running: threading.Event | None = None
        self._refreshed_at = float("-inf")

    def __len__(self) -> int:
        return len(self._counts)

    def hour(self, now: datetime, wait_seconds: float = 0.0) -> Hour:
        """Return the known counts at ``now`` (aware UTC), after starting a refresh if one is due.

        Waits at most ``wait_seconds`` for a running refresh.
        """
        refresh = self._begin_refresh(now)
        if refresh and wait_seconds:
            refresh.wait(wait_seconds)
        with self._lock:
            minutes = tuple(Minute(at, self._counts.get(at)) for at in minutes_until(now))
            return Hour(minutes, self._pauses, self._running is not None)

    def _begin_refresh(self, now: datetime) -> threading.Event | None:
        with self._lock:
            if self._running is None and time.monotonic() - self._refreshed_at >= self._refresh_seconds:
                self._running = threading.Event()
                thread = threading.Thread(target=self._refresh, args=(now, self._running), name="counts", daemon=True)
                thread.start()
            return self._running

    def _refresh(self, now: datetime, done: threading.Event) -> None:
        try:
            self._read(now)
        except Exception as exc:  # noqa: BLE001 - the page works without its timeline; the next request retries
            self._log.warning("The last hour could not be counted.", error=repr(exc))
        finally:
            with self._lock:
                self._running = None
                self._refreshed_at = time.monotonic()
            done.set()

    def _read(self, now: datetime) -> None:
        minutes = minutes_until(now)
        with self._lock:
            self._counts = {at: count for at, count in self._counts.items() if at >= minutes[0]}
            self._closed = {at for at in self._closed if at >= minutes[0]}
        # Newest first, because a page that is loaded during the refresh shows the minutes counted so far.
        open_minutes = [at for at in reversed(minutes) if at not in self._closed]
        run_at_once(partial(self._count_minute, at, now) for at in open_minutes)
        pauses = self._read_pauses(minutes[0], now)
        with self._lock:
            self._pauses = pauses

    def _count_minute(self, at: datetime, now: datetime) -> None:
        count = self._count(at, at + _MINUTE)
        with self._lock:
            self._counts[at] = count
            if at + _MINUTE + _LATENESS <= now:
                self._closed.add(at)


def minutes_until(now: datetime) -> list[datetime]:
    """Return the starts of the last 60 minutes, oldest first; ``now`` is in the last."""
    last = now.replace(second=0, microsecond=0)
    return [last - _MINUTE * back for back in reversed(range(MINUTES))]


def count_each_subscription(
    messages: MessageReader, database: Database, subscriptions: Sequence[str], log: Logger
) -> dict[str, MinuteCounts]:
    """Return the counts of each subscription by its id, and those of all subscriptions under "". Reads nothing yet."""

    def counts_of(subscription: str) -> MinuteCounts:
        selection, shown = Selection(subscription), (subscription,) if subscription else subscriptions
        return MinuteCounts(
            lambda since, until: messages.count(selection, since=since, until=until, up_to=MAX_COUNTED),
            lambda since, until: read_pauses(database, shown, since, until),
            log,
        )

    return {subscription: counts_of(subscription) for subscription in ("", *subscriptions)}
