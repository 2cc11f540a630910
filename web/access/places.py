"""Places for work that a person waits for: a number for all, a quarter of them for one person, and a short queue."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import BusyError

SHARES = 4
# The requests of one person that wait: each holds a thread of the server. Let requests wait: a script in a loop repeats
# a refused request immediately, which costs more than one that waits.
_MAX_WAITING = 16


class Places:
    """Places of one kind of work, named by ``plural`` in errors. Thread-safe."""

    def __init__(self, plural: str, *, of_all: int, wait_seconds: float, max_waiting: int = _MAX_WAITING) -> None:
        self.of_one, self.max_waiting = max(1, of_all // SHARES), max_waiting
        self._plural, self._of_all, self._wait_seconds = plural, of_all, wait_seconds
        self._changed = threading.Condition()
        self._taken: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    def take(self, person: str) -> None:
        """Take a place, if need be a moment later. Raises BusyError."""
        with self._changed:
            if not self._is_free_for(person):
                self._wait(person)
            self._taken[person] += 1

    def leave(self, person: str) -> None:
        """Give back a place."""
        with self._changed:
            self._taken -= Counter({person: 1})
            self._changed.notify_all()

    @contextmanager
    def held(self, person: str) -> Iterator[None]:
        """Hold a place. Raises BusyError."""
        self.take(person)
        try:
            yield
        finally:
            self.leave(person)

    def _wait(self, person: str) -> None:
        if self._waiting[person] >= self.max_waiting:
            raise self._busy(person)
        self._waiting[person] += 1
        try:
            if not self._changed.wait_for(lambda: self._is_free_for(person), self._wait_seconds):
                raise self._busy(person)
        finally:
            self._waiting -= Counter({person: 1})

    def _is_free_for(self, person: str) -> bool:
        return self._taken[person] < self.of_one and len(self) < self._of_all

    def _busy(self, person: str) -> BusyError:
        if self._taken[person] >= self.of_one:
            return BusyError(
                f"You have {self.of_one} {self._plural} running, the most for one person. Wait until one ends."
            )
        return BusyError(f"All {self._of_all} places for {self._plural} are taken. Try again in a moment.")
