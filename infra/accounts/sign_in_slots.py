"""Limits concurrent sign-ins, in total and per address. An attempt over the limit fails at once.

A sign-in holds one of the server's threads while it waits for Firestore and for its turn to hash. Without a limit, a
hundred wrong passwords a second would hold all threads, and every page would wait behind them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import BusyError

# Two hash at a time and a few wait, for less than a second each. Half of the server's threads that are not used by
# streams stay free.
MAX_SLOTS = 8
MAX_SLOTS_PER_ADDRESS = 4
TOO_MANY_SIGN_INS = "Too many people are signing in right now. Try again in a few seconds."


class SignInSlots:
    """The slots of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def slot(self, network: str) -> Iterator[None]:
        """Hold a slot for a sign-in from ``network``. Raises BusyError (503) at once if none is free."""
        self._take(network)
        try:
            yield
        finally:
            self._release(network)

    def _take(self, network: str) -> None:
        with self._lock:
            if self._taken.total() >= MAX_SLOTS or self._taken[network] >= MAX_SLOTS_PER_ADDRESS:
                raise BusyError(TOO_MANY_SIGN_INS)
            self._taken[network] += 1

    def _release(self, network: str) -> None:
        with self._lock:
            self._taken[network] -= 1
            if not self._taken[network]:
                del self._taken[network]
