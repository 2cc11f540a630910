"""Streams with costly filters: they use their person's share, fall behind alone, and end with their client."""

import threading
import time

import pytest

from infra.messages.message import Message
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import Client, Viewing, viewing
from tests.support.waiting import wait_until
from web.access.cpu_share import CpuRate, CpuShare, Turns
from web.access.fair_shares import BACKGROUND
from web.live.catch_up import MAX_EXAMINED, missed_since
from web.live.client_filter import ClientFilter
from web.live.listen_window import EPOCH
from web.live.sse import Position

CPU_SECONDS = 0.02


class Costly:
    """A filter of which each evaluation takes 20 ms of CPU. ``used`` has the CPU in all."""

    def __init__(self) -> None:
        self.asked = 0
        self._lock = threading.Lock()

    def __call__(self, message: Message) -> bool:
        end = time.thread_time() + CPU_SECONDS
        while time.thread_time() < end:
            pass
        with self._lock:
            self.asked += 1
        return False

    @property
    def used(self) -> float:
        return self.asked * CPU_SECONDS


def watching(view: Viewing, person: str, client_filter: ClientFilter, position: Position | None = None) -> Client:
    return Client(view.feed.watch(position or Position(None), client_filter, person=person))


def test_costly_streams_use_one_share_and_delay_no_other_person(firestore: LocalFirestore, writer: Writer) -> None:
    costly = Costly()
    with viewing(firestore.address) as view:
        other = view.live_client()
        attackers = [
            watching(view, "attacker", ClientFilter(accepts=costly, is_costly=True), Position(None, known=False))
            for _ in range(12)
        ]
        began = time.monotonic()
        documents = [writer.message() for _ in range(20)]
        wait_until(lambda: set(documents) <= set(other.ids()), "the messages at the other person")
        # All of it would take 4.8 s: the other person did not wait for it.
        assert costly.asked < 12 * 20
        time.sleep(0.5)
        share = BACKGROUND.saved_seconds + BACKGROUND.per_second * (time.monotonic() - began)
        assert costly.used <= share + 2 * CPU_SECONDS
        for client in attackers:
            client.close()
        ended_with = costly.asked
        later = writer.message()
        wait_until(lambda: later in other.ids(), "a message after the streams' end")
        assert costly.asked == ended_with


def test_replay_ends_with_its_client(firestore: LocalFirestore, writer: Writer) -> None:
    writer.messages(300)
    costly = Costly()
    with viewing(firestore.address) as view:
        client = watching(view, "viewer", ClientFilter(accepts=costly, is_costly=True))
        wait_until(lambda: costly.asked > 3, "the beginning of the replay")
        client.close()
        ended_with = costly.asked
        assert ended_with < 300
        time.sleep(0.1)
        assert costly.asked == ended_with


class Steps:
    """A pace that ends after a number of questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def goes_on(self, deadline: float) -> bool:
        self.left -= 1
        return self.left >= 0


@pytest.mark.parametrize(("questions", "asked"), [(0, 0), (1, 0), (50, 49), (MAX_EXAMINED, None)])
def test_replay_asks_before_each_message(
    firestore: LocalFirestore, writer: Writer, questions: int, asked: int | None
) -> None:
    writer.messages(60)
    counted = 0

    def count(message: Message) -> bool:
        nonlocal counted
        counted += 1
        return False

    with viewing(firestore.address) as view:
        missed = missed_since(view.messages, ClientFilter(accepts=count), EPOCH, Steps(questions), float("inf"))
        stored = view.messages.count()
    assert counted == (stored if asked is None else asked)
    assert missed == ([] if asked is None else None)


def test_one_turn_of_a_person_at_a_time_and_none_in_debt() -> None:
    share = CpuShare(CpuRate(per_second=0.001, saved_seconds=0.5, overdrawn_seconds=1.0))
    first, second = Turns(share), Turns(share)
    with first.turn(0) as lasts:
        assert lasts()
        with second.turn(0) as too_early:
            assert not too_early()
    with second.turn(0) as lasts:
        assert lasts()
    share.charge(1)
    with second.turn(0) as in_debt:
        assert not in_debt()
