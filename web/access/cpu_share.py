"""One person's share of the process's CPU, and the pace that keeps long work within it.

A share is a token bucket: CPU seconds flow in at a fixed rate and can be saved up to a limit. So in t seconds a person
uses at most the rate times t, plus the saved seconds. Every few milliseconds, work charges its thread's CPU time to the
share, and waits while the share is overdrawn.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Work reads its CPU clock this often: reading it costs next to nothing in that time.
_STRETCH_SECONDS = 0.005
# The length of one stream's turn; then another stream of the same person may work.
_TURN_SECONDS = 0.02
# While it waits, work notices this quickly that its client has left.
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class CpuRate:
    """CPU seconds that one person gets in each second, and the most that can be saved or overdrawn."""

    per_second: float
    saved_seconds: float
    overdrawn_seconds: float


class CpuShare:
    """The CPU of one person. Thread-safe."""

    def __init__(self, rate: CpuRate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._lock = threading.Lock()
        self._left = rate.saved_seconds
        self._at = clock()
        # Held by the one thread of this person that matches live messages.
        self.turn = threading.Lock()

    def charge(self, cpu_seconds: float) -> None:
        """Take used CPU seconds. The share may become overdrawn: the next work then waits until it is refilled.

        Beyond ``overdrawn_seconds`` they are forgotten, so that a person waits for a bounded time after the last work.
        """
        with self._lock:
            self._refill()
            self._left = max(-self._rate.overdrawn_seconds, self._left - cpu_seconds)

    def wait_seconds(self) -> float:
        """Return the seconds until work may go on; 0 for now."""
        with self._lock:
            self._refill()
            return max(0.0, -self._left / self._rate.per_second)

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._rate.saved_seconds, self._left + (now - self._at) * self._rate.per_second)
        self._at = now


class CpuShares:
    """The shares of all persons of one process. Thread-safe."""

    def __init__(self, rate: CpuRate) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._shares: dict[str, CpuShare] = {}

    def of(self, person: str) -> CpuShare:
        """Return a person's share, always the same. There are as many as accounts."""
        with self._lock:
            return self._shares.setdefault(person, CpuShare(self._rate))


def never() -> bool:
    """Return False: for work without a client that could leave."""
    return False


class Pace:
    """The pace of one piece of work, in the thread that makes it: within its share, and only while it has a client."""

    def __init__(
        self,
        share: CpuShare,
        has_left: Callable[[], bool] = never,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._share, self._has_left = share, has_left
        self._clock, self._cpu_clock, self._sleep = clock, cpu_clock, sleep
        self._charged = cpu_clock()
        self._look_at = clock()

    def goes_on(self, deadline: float) -> bool:
        """Wait until there is CPU for the next step; False after ``deadline`` (monotonic) or when the client left."""
        now = self._clock()
        if now >= deadline:
            return False
        if now < self._look_at:
            return True
        self.account()
        while True:
            if self._has_left():
                return False
            wait = self._share.wait_seconds()
            if not wait:
                self._look_at = self._clock() + _STRETCH_SECONDS
                return True
            left = deadline - self._clock()
            if left <= 0:
                return False
            self._sleep(min(max(wait, _STRETCH_SECONDS), left, _LOOK_SECONDS))

    def account(self) -> None:
        """Charge the CPU that this thread has used since the last time."""
        now = self._cpu_clock()
        self._share.charge(now - self._charged)
        self._charged = now


class Turns:
    """The turns of one stream of a person: one thread of the person works at a time, for a few milliseconds."""

    def __init__(self, share: CpuShare) -> None:
        self._share = share

    @contextmanager
    def turn(self, wait_seconds: float) -> Iterator[Callable[[], bool]]:
        """Wait for the turn and yield a function that tells whether it still lasts.

        It returns False from the start if other streams kept the turn for ``wait_seconds``.
        """
        if not self._share.turn.acquire(timeout=wait_seconds):
            yield _no_turn
            return
        try:
            if wait := self._share.wait_seconds():
                time.sleep(min(wait, wait_seconds))
            if self._share.wait_seconds():
                yield _no_turn
                return
            began, ends_at = time.thread_time(), time.monotonic() + _TURN_SECONDS
            try:
                yield lambda: time.monotonic() < ends_at
            finally:
                self._share.charge(time.thread_time() - began)
        finally:
            self._share.turn.release()


class FreeTurns:
    """The turns of a stream with messages that cost next to nothing."""

    @contextmanager
    def turn(self, wait_seconds: float) -> Iterator[Callable[[], bool]]:
        """Yield a function that always returns True: this stream needs no turns."""
        yield _always


def _no_turn() -> bool:
    return False


def _always() -> bool:
    return True
