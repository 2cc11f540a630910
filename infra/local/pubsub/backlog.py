"""The backlog of one subscription: published messages that are not acknowledged, with their holds and timers.

An entry is ready, held (a pull's lease or a push in flight), resting (after a refusal, until its backoff ends) or
waiting behind an older message of its ordering key. Only ``remove`` takes an entry out.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class State(Enum):
    """The state of an entry."""

    READY = auto()
    HELD = auto()
    RESTING = auto()
    WAITING = auto()
    GONE = auto()


@dataclass(slots=True, eq=False)
class BacklogEntry:
    """One message for one subscription.

    ``turn`` changes with every timer, so that an old timer is recognised; ``holds`` counts the takes, and ``attempts``
    the takes that a dead-letter policy counts.
    """

    number: int
    message: Any
    state: State = State.READY
    turn: int = 0
    holds: int = 0
    attempts: int = 0
    failures: int = 0


class Backlog:
    """Entries in the order of publishing. Calls ``on_ready`` when an entry becomes ready again."""

    def __init__(self, on_ready: Callable[[], None], on_expired: Callable[[BacklogEntry], None]) -> None:
        self.ordered = False
        self._on_ready = on_ready
        self._on_expired = on_expired
        self._entries: dict[int, BacklogEntry] = {}
        self._ready: deque[BacklogEntry] = deque()
        self._keys: dict[str, deque[BacklogEntry]] = {}
        self._next = 0
        self._clock = asyncio.get_running_loop()
        self._timers: list[tuple[float, int, int]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0  # uvloop's timer handles do not always have their time

    def __len__(self) -> int:
        return len(self._entries)

    def oldest(self) -> Any | None:
        """Return the oldest message, or None."""
        return next((entry.message for entry in self._entries.values()), None)

    def get(self, number: int) -> BacklogEntry | None:
        """Return the entry with this number; None when it is acknowledged."""
        return self._entries.get(number)

    def add(self, message: Any) -> None:
        """Append a message. The caller calls ``on_ready`` once after a batch."""
        self._next += 1
        entry = BacklogEntry(self._next, message)
        self._entries[entry.number] = entry
        key = message.ordering_key if self.ordered else ""
        if key and key in self._keys:
            entry.state = State.WAITING
            self._keys[key].append(entry)
            return
        if key:
            self._keys[key] = deque()
        self._ready.append(entry)

    def take(self) -> BacklogEntry | None:
        """Hold the next ready entry, or return None."""
        while self._ready:
            entry = self._ready.popleft()
            if entry.state is State.READY:
                entry.state = State.HELD
                entry.turn += 1
                entry.holds += 1
                return entry
        return None

    def hold_for(self, entry: BacklogEntry, seconds: float) -> None:
        """End the hold after ``seconds``; a later call replaces an earlier one."""
        entry.turn += 1
        self._schedule(entry, seconds)

    def rest(self, entry: BacklogEntry, seconds: float) -> None:
        """Return a held entry to the backlog; it is ready again after ``seconds``."""
        if entry.state is State.GONE:
            return
        entry.turn += 1
        if seconds <= 0:
            self._make_ready(entry)
            return
        entry.state = State.RESTING
        self._schedule(entry, seconds)

    def remove(self, entry: BacklogEntry) -> None:
        """Remove an acknowledged or dead-lettered entry; the next entry of its ordering key becomes ready."""
        if entry.state is State.GONE:
            return
        entry.state = State.GONE
        del self._entries[entry.number]
        key = entry.message.ordering_key
        if not key or key not in self._keys:
            return
        if self._keys[key]:
            self._make_ready(self._keys[key].popleft())
        else:
            del self._keys[key]

    def clear(self) -> None:
        """Remove all entries, also those in delivery."""
        for entry in self._entries.values():
            entry.state = State.GONE
        self._entries.clear()
        self._ready.clear()
        self._keys.clear()

    def close(self) -> None:
        """Stop the timers."""
        if self._alarm:
            self._alarm.cancel()
        self._timers.clear()

    def _make_ready(self, entry: BacklogEntry) -> None:
        entry.state = State.READY
        self._ready.append(entry)
        self._on_ready()

    def _schedule(self, entry: BacklogEntry, seconds: float) -> None:
        heapq.heappush(self._timers, (self._clock.time() + seconds, entry.number, entry.turn))
        self._set_alarm()

    def _set_alarm(self) -> None:
        if not self._timers or (self._alarm and self._alarm_at <= self._timers[0][0]):
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = self._timers[0][0]
        self._alarm = self._clock.call_at(self._alarm_at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._clock.time()
        while self._timers and self._timers[0][0] <= now + 0.001:
            _, number, turn = heapq.heappop(self._timers)
            entry = self._entries.get(number)
            if entry is None or entry.turn != turn:
                continue
            if entry.state is State.HELD:
                self._on_expired(entry)
            else:
                self._make_ready(entry)
        self._set_alarm()
