"""Messages in each bucket of a span: Firestore counts them in the background, once for all clients of the process.

A count is billed as one read for each 1,000 messages, and at least one. A closed bucket never changes and is counted
once; the open one at most every 10 s. So for the last hour the first page costs 60 reads or more, and an hour with open
pages about 200, for any number of pages; without an open page it costs nothing.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from infra.logs import Logger
from web.facets.at_once import run_at_once
from web.timeline.delivery_pauses import Pause
from web.timeline.spans import HOUR, Span

REFRESH_SECONDS = 10.0
# The refreshes that run at a time, of all timelines: each counts in six threads.
_REFRESHES = threading.BoundedSemaphore(4)
# A message can become visible a little after its time.
_LATENESS = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The start of a bucket and the number of its messages; None until they are counted."""

    at: datetime
    count: int | None


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a span, oldest first, the open one last; and the pauses of delivery."""

    buckets: tuple[Bucket, ...]
    pauses: tuple[Pause, ...]
    # Whether a refresh is running: until it ends, the counts may be as old as the last request.
    is_refreshing: bool = False

    def without(self, others: "Buckets") -> "Buckets":
        """Return the counts less those of others; a bucket that either has not counted is not counted."""
        buckets = tuple(
            Bucket(one.at, None if one.count is None or other.count is None else max(0, one.count - other.count))
            for one, other in zip(self.buckets, others.buckets, strict=True)
        )
        return Buckets(buckets, self.pauses, self.is_refreshing or others.is_refreshing)

    @property
    def uncounted(self) -> int:
        """The number of buckets that are not counted yet."""
        return sum(bucket.count is None for bucket in self.buckets)


Count = Callable[[datetime, datetime], int]
ReadPauses = Callable[[datetime, datetime], tuple[Pause, ...]]


class BucketCounts:
    """The counts of one filter's span, refreshed in the background."""

    def __init__(
        self,
        count: Count,
        read_pauses: ReadPauses,
        log: Logger,
        *,
        span: Span = HOUR,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._count, self._read_pauses, self._log = count, read_pauses, log
        self._span = span
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._counts: dict[datetime, int] = {}
        self._closed: set[datetime] = set()
        self._pauses: tuple[Pause, ...] = ()
        self._running: threading.Event | None = None
        self._refreshed_at = float("-inf")

    def __len__(self) -> int:
        return len(self._counts)

    def until(self, now: datetime, wait_seconds: float = 0.0) -> Buckets:
        """Return the known counts at ``now`` (aware UTC), after starting a refresh if one is due.

        Waits at most ``wait_seconds`` for a running refresh.
        """
        refresh = self._begin_refresh(now)
        if refresh and wait_seconds:
            refresh.wait(wait_seconds)
        with self._lock:
            buckets = tuple(Bucket(at, self._counts.get(at)) for at in self._span.starts(now))
            return Buckets(buckets, self._pauses, self._running is not None)

    def _begin_refresh(self, now: datetime) -> threading.Event | None:
        with self._lock:
            is_due = self._running is None and time.monotonic() - self._refreshed_at >= self._refresh_seconds
            # While others are refreshed, the page shows the counts known so far, and asks again.
            if is_due and _REFRESHES.acquire(blocking=False):
                self._running = threading.Event()
                thread = threading.Thread(target=self._refresh, args=(now, self._running), name="counts", daemon=True)
                thread.start()
            return self._running

    def _refresh(self, now: datetime, done: threading.Event) -> None:
        try:
            self._read(now)
        except Exception as exc:  # noqa: BLE001 - the page works without its timeline; the next request retries
            self._log.warning(f"Messages of {self._span.words} could not be counted.", error=repr(exc))
        finally:
            with self._lock:
                self._running = None
                self._refreshed_at = time.monotonic()
            _REFRESHES.release()
            done.set()

    def _read(self, now: datetime) -> None:
        starts = self._span.starts(now)
        with self._lock:
            self._counts = {at: count for at, count in self._counts.items() if at >= starts[0]}
            self._closed = {at for at in self._closed if at >= starts[0]}
        # Newest first, because a page that is loaded during the refresh shows the buckets counted so far.
        unsettled = [at for at in reversed(starts) if at not in self._closed]
        run_at_once(partial(self._count_bucket, at, now) for at in unsettled)
        pauses = self._read_pauses(starts[0], now)
        with self._lock:
            self._pauses = pauses

    def _count_bucket(self, at: datetime, now: datetime) -> None:
        end = at + self._span.length
        count = self._count(at, end)
        with self._lock:
            self._counts[at] = count
            if end + _LATENESS <= now:
                self._closed.add(at)
