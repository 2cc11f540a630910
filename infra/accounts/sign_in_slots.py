"""Slots for those who sign in at this moment: few in all, fewer for one address, and nobody waits for one.

A sign-in holds one of the server's threads while it waits for Firestore and for its turn to hash. Without a bound, a
hundred wrong passwords a second would hold them all, and every page would wait behind them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import BusyError

# Two hash at a time, a few wait for it: under a second each. Half of a server's threads beside the streams stay free.
MAX_SLOTS = 8
MAX_SLOTS_PER_ADDRESS = 4
TOO_MANY_SIGN_INS = "Too many people are signing in at this moment. Try again in a few seconds."


class SignInSlots:
    """The places of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def slot(self, network: str) -> Iterator[None]:
        """Hold a place for somebody from there. Raises BusyError (503) at once when there is none."""
        self._take(network)
        try:
            yield
        finally:
            self._give_back(network)

    def _take(self, network: str) -> None:
        with self._lock:
            if self._taken.total() >= MAX_SLOTS or self._taken[network] >= MAX_SLOTS_PER_ADDRESS:
                raise BusyError(TOO_MANY_SIGN_INS)
            self._taken[network] += 1

    def _give_back(self, network: str) -> None:
        with self._lock:
            self._taken[network] -= 1
            if not self._taken[network]:
                del self._taken[network]
