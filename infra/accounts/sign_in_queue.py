"""The queue of sign-ins: a few run at a time, the others wait a short time, and networks take turns.

A sign-in holds one of the server's threads while it waits for Firestore, for its turn to hash, or for its place here.
So the numbers of running and of waiting sign-ins are bounded, and a hundred wrong passwords a second leave threads for
the pages. A network is an IPv4 address or an IPv6 /48.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.errors import BusyError
from infra.web_server import threads

MAX_RUNNING = threads.RUNNING_SIGN_INS
WAIT_SECONDS = 10.0
TOO_MANY_SIGN_INS = "Too many people are signing in right now. Try again in a few seconds."


@dataclass(eq=False, slots=True)
class _Waiter:
    network: str
    decided: threading.Event = field(default_factory=threading.Event)
    has_place: bool = False


class SignInQueue:
    """The places of one process and those who wait for one. Thread-safe.

    A free place goes to the network that holds the fewest, and among these to the one that was served longest ago. When
    the waiting room is full, a new sign-in takes the room of a network that has at least two more waiting sign-ins than
    its own network. When each network has one, it takes the room of a random one: among hundreds of networks, each has
    the same chance.
    """

    def __init__(self, max_waiting: int = threads.WAITING_SIGN_INS, wait_seconds: float = WAIT_SECONDS) -> None:
        self.max_waiting, self._wait_seconds = max_waiting, wait_seconds
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []
        self._turns = 0
        self._last_turn: dict[str, int] = {}

    @contextmanager
    def place(self, network: str) -> Iterator[None]:
        """Hold a place for a sign-in from ``network``. Raises BusyError (503) if none gets free in time."""
        self._enter(network)
        try:
            yield
        finally:
            self._leave(network)

    def _enter(self, network: str) -> None:
        with self._lock:
            waiter = self._join(network)
            self._give_places()
        waiter.decided.wait(self._wait_seconds)
        with self._lock:  # the place may have come at the last moment
            if waiter.has_place:
                return
            if waiter in self._waiting:
                self._waiting.remove(waiter)
        raise BusyError(TOO_MANY_SIGN_INS)

    def _leave(self, network: str) -> None:
        with self._lock:
            self._running[network] -= 1
            self._running += Counter()  # drops the networks that hold no place
            self._give_places()

    def _join(self, network: str) -> _Waiter:
        if len(self._waiting) >= self.max_waiting and self._is_full():
            self._make_room(network)
        waiter = _Waiter(network)
        self._waiting.append(waiter)
        return waiter

    def _is_full(self) -> bool:
        return self._running.total() >= MAX_RUNNING

    def _make_room(self, network: str) -> None:
        """Send the newest waiter of the most crowded network away. Raises BusyError if that would not be fairer."""
        waiting = Counter(waiter.network for waiter in self._waiting)
        crowded, number = waiting.most_common(1)[0]
        if waiting[network] + 1 < number:
            displaced = next(waiter for waiter in reversed(self._waiting) if waiter.network == crowded)
        elif number == 1 and not waiting[network]:
            displaced = secrets.choice(self._waiting)  # not the newest: the next newcomer would send this one away
        else:
            raise BusyError(TOO_MANY_SIGN_INS)
        self._waiting.remove(displaced)
        displaced.decided.set()

    def _give_places(self) -> None:
        while self._waiting and not self._is_full():
            waiter = min(self._waiting, key=self._rank)
            self._waiting.remove(waiter)
            self._running[waiter.network] += 1
            self._turns += 1
            self._last_turn[waiter.network] = self._turns
            waiter.has_place = True
            waiter.decided.set()
        present = self._running.keys() | {waiter.network for waiter in self._waiting}
        self._last_turn = {network: turn for network, turn in self._last_turn.items() if network in present}

    def _rank(self, waiter: _Waiter) -> tuple[int, int]:
        return self._running[waiter.network], self._last_turn.get(waiter.network, 0)
