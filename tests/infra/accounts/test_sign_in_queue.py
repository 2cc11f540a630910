"""The queue of sign-ins: a short wait, turns for networks, and a bound of those who wait."""

import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from infra.accounts.sign_in_queue import MAX_RUNNING, SignInQueue, _Waiter
from infra.errors import BusyError
from tests.support.waiting import wait_until


class Room:
    """A queue and its visitors: each holds its place until ``free``."""

    def __init__(self, queue: SignInQueue) -> None:
        self.queue = queue
        self.served: list[str] = []
        self._pool = ThreadPoolExecutor(80)
        self._leave = threading.Semaphore(0)
        self._visits: list[Future[None]] = []

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *_: object) -> None:
        self.free(100)
        self._pool.shutdown()

    def come(self, network: str) -> "Future[None]":
        """Let one visitor enter, and wait until it waits or is served."""
        visit = self._pool.submit(self._visit, network)
        self._visits.append(visit)
        wait_until(self._all_are_inside, "a visitor's arrival", 5)
        return visit

    def free(self, places: int = 1) -> None:
        self._leave.release(places)

    def _all_are_inside(self) -> bool:
        refused = sum(visit.done() and visit.exception() is not None for visit in self._visits)
        with self.queue._lock:
            return len(self.queue._waiting) + len(self.served) == len(self._visits) - refused

    def _visit(self, network: str) -> None:
        with self.queue.place(network):
            self.served.append(network)
            self._leave.acquire()


def test_networks_take_turns() -> None:
    with Room(SignInQueue(max_waiting=20)) as room:
        for network in ("a",) * 8 + ("b",) * 3 + ("c",):
            room.come(network)
        assert room.served == ["a"] * MAX_RUNNING
        for number in range(1, 9):
            room.free()
            wait_until(lambda: len(room.served) == MAX_RUNNING + number, "the next visitor", 5)  # noqa: B023
        assert room.served[MAX_RUNNING:] == ["b", "c", "a", "b", "a", "b", "a", "a"]


def test_full_waiting_room_makes_room_for_another_network() -> None:
    with Room(SignInQueue(max_waiting=3)) as room:
        crowd = [room.come("a") for _ in range(MAX_RUNNING + 3)]
        another = room.come("b")
        with pytest.raises(BusyError, match="Too many people are signing in"):
            crowd[-1].result(5)
        with pytest.raises(BusyError):
            room.come("a").result(5)
        room.free()
        wait_until(lambda: "b" in room.served, "the turn of the other network", 5)
        room.free(20)
        another.result(5)


def test_full_waiting_room_of_single_visitors_sends_a_random_one_away() -> None:
    places = 39
    with Room(SignInQueue(max_waiting=places, wait_seconds=60)) as room:
        first = [room.come(f"network {number}") for number in range(MAX_RUNNING + places)]
        late = []
        for number in range(30):
            late.append(room.come(f"late {number}"))
            assert not late[-1].done(), "a newcomer gets a place in the waiting room"
        with pytest.raises(BusyError):
            room.come("late 29").result(5)
        sent_away = [visit.done() for visit in (*first[MAX_RUNNING:], *late)]
        assert sent_away.count(True) == 30
        assert any(sent_away[:places]), "only newcomers were sent away"
        assert not all(sent_away[places:-1]), "each newcomer sent the one before away"


class Turns(SignInQueue):
    """Counts the places that are given away while a visitor waits, its own with them."""

    def __init__(self) -> None:
        super().__init__()
        self._joined: dict[_Waiter, int] = {}
        self.waited: Counter[str] = Counter()  # the longest wait of each network

    def _join(self, network: str) -> _Waiter:
        waiter = super()._join(network)
        self._joined[waiter] = self._turns
        return waiter

    def _give_places(self) -> None:
        before = list(self._waiting)
        super()._give_places()
        for waiter in before:
            if waiter.has_place:
                turns = self._turns - self._joined.pop(waiter)
                self.waited[waiter.network] = max(self.waited[waiter.network], turns)


def test_waiting_ends_after_a_while() -> None:
    queue = SignInQueue(wait_seconds=0.05)
    with ExitStack() as held:
        for number in range(MAX_RUNNING):
            held.enter_context(queue.place(f"{number}"))
        with pytest.raises(BusyError), queue.place("late"):
            pass
    with queue.place("late"):
        pass


def test_place_is_free_again_after_an_error() -> None:
    queue = SignInQueue(wait_seconds=0.05)
    for _ in range(2 * MAX_RUNNING):
        with pytest.raises(ValueError, match="broken"), queue.place("a"):
            raise ValueError("broken")


def test_two_crowded_networks_keep_no_other_out() -> None:
    queue, over, refused = Turns(), threading.Event(), Counter[str]()

    def attack(network: str) -> None:
        while not over.is_set():
            try:
                with queue.place(network):
                    time.sleep(0.004)
            except BusyError:
                refused[network] += 1
                time.sleep(0.001)

    with ThreadPoolExecutor(20) as pool:
        for number in range(20):
            pool.submit(attack, f"attacker {number % 2}")
        try:
            for _ in range(37):
                with queue.place("another"):
                    time.sleep(0.004)
        finally:
            over.set()
    # A network that holds no place and was not served lately may be first: that is each attacker once.
    assert queue.waited["another"] <= 3
    assert refused, "the attackers did not fill the queue"
