"""Messages per minute of the last hour, counted by Firestore in the background and shared by all viewers of a process.

What it costs: a count is billed as one read for each 1,000 messages, at least one. A closed minute never changes and is
counted once; the open one at most every 10 s. So the first look costs 60 reads or more, and an hour of watching about
200, however many watch; with no page open, nothing.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.firestore.client import Database
from infra.firestore.message_reader import MessageReader, Selection
from infra.logs import Logger
from web.timeline.delivery_pauses import Pause, read_pauses

MINUTES = 60
MAX_COUNTED = 10_000
REFRESH_SECONDS = 10.0
_MINUTE = timedelta(minutes=1)
# A message may become visible a little after its time.
_LATENESS = timedelta(seconds=10)
_COUNTS_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute and its messages; None while they are not counted."""

    at: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class Hour:
    """The last 60 minutes, oldest first, the open one last; and when delivery was stopped."""

    minutes: tuple[Minute, ...]
    pauses: tuple[Pause, ...]
    # Whether it is counted again at this moment: what it says may be as old as the last look.
    is_refreshing: bool = False

    @property
    def uncounted(self) -> int:
        """How many minutes are not known yet."""
        return sum(minute.count is None for minute in self.minutes)


Count = Callable[[datetime, datetime], int]
ReadPauses = Callable[[datetime, datetime], tuple[Pause, ...]]


class MinuteCounts:
    """The last hour of one selection. ``hour`` never waits for Firestore longer than it is told to."""

    def __init__(self, count: Count, read_pauses: ReadPauses, log: Logger) -> None:
        self._count, self._read_pauses, self._log = count, read_pauses, log
        self._lock = threading.Lock()
        self._counts: dict[datetime, int] = {}
        self._closed: set[datetime] = set()
        self._pauses: tuple[Pause, ...] = ()
        self._running: threading.Event | None = None
        self._refreshed_at = float("-inf")

    def hour(self, now: datetime, wait_seconds: float = 0.0) -> Hour:
        """What is known at ``now`` (aware UTC); a refresh that is due begins, and is waited for so long."""
        refresh = self._begin_refresh(now)
        if refresh and wait_seconds:
            refresh.wait(wait_seconds)
        with self._lock:
            minutes = tuple(Minute(at, self._counts.get(at)) for at in minutes_until(now))
            return Hour(minutes, self._pauses, self._running is not None)

    def _begin_refresh(self, now: datetime) -> threading.Event | None:
        with self._lock:
            if self._running is None and time.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
                self._running = threading.Event()
                threading.Thread(target=self._refresh, args=(now, self._running), daemon=True, name="volume").start()
            return self._running

    def _refresh(self, now: datetime, done: threading.Event) -> None:
        try:
            self._read(now)
        except Exception as exc:  # noqa: BLE001 - a page without its timeline is still a page; the next look tries again
            self._log.warning("The last hour could not be counted.", error=repr(exc))
        finally:
            with self._lock:
                self._running = None
                self._refreshed_at = time.monotonic()
            done.set()

    def _read(self, now: datetime) -> None:
        wanted = minutes_until(now)
        with self._lock:
            self._counts = {at: count for at, count in self._counts.items() if at >= wanted[0]}
            self._closed = {at for at in self._closed if at >= wanted[0]}
        # Newest first: whoever looks meanwhile sees those.
        open_minutes = [at for at in reversed(wanted) if at not in self._closed]
        self._count_all(open_minutes, now)
        found = self._read_pauses(wanted[0], now)
        with self._lock:
            self._pauses = found

    def _count_all(self, minutes: list[datetime], now: datetime) -> None:
        """Count several at once. Not by a pool, whose threads would hold up the end of the process."""
        left, failed = deque(minutes), list[Exception]()

        def count() -> None:
            while not failed:
                try:
                    at = left.popleft()
                except IndexError:
                    return
                try:
                    self._count_minute(at, now)
                except Exception as exc:  # noqa: BLE001 - raised where all are waited for
                    failed.append(exc)

        threads = [threading.Thread(target=count, daemon=True, name="volume-count") for _ in range(_COUNTS_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def _count_minute(self, at: datetime, now: datetime) -> None:
        count = self._count(at, at + _MINUTE)
        with self._lock:
            self._counts[at] = count
            if at + _MINUTE + _LATENESS <= now:
                self._closed.add(at)


def minutes_until(now: datetime) -> list[datetime]:
    """The beginnings of the last 60 minutes, oldest first; ``now`` is in the last."""
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
