"""The feed listens while a client is open, and ends a while after the last one left."""

import threading
import time
from dataclasses import replace

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import QUICK, Viewing, feed_threads, viewing
from tests.support.waiting import wait_until
from web.live.sse import Position


class Clock:
    """A clock that stands still until a test moves it. The feed reads it each time it considers its end."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.readings = 0

    def __call__(self) -> float:
        self.readings += 1
        return self.now

    def wait_for_checks(self, count: int = 3) -> None:
        """Wait until the feed has considered its end ``count`` more times."""
        target = self.readings + count
        wait_until(lambda: self.readings >= target, "the feed's checks")


def thread_idents() -> list[int]:
    return sorted(thread.ident or 0 for thread in threading.enumerate() if thread.name.startswith("feed-"))


def test_feed_without_clients_starts_nothing(view: Viewing) -> None:
    assert feed_threads() == []
    assert view.feed.state.status == "idle"
    assert not view.observed


def test_feed_ends_a_while_after_the_last_client_left(firestore: LocalFirestore, writer: Writer) -> None:
    clock = Clock()
    with viewing(firestore.address, replace(QUICK, linger_seconds=60), clock=clock) as view:
        view.live_client().close()
        clock.now += 59
        clock.wait_for_checks()
        assert view.feed.state.status == "live"
        clock.now += 1
        wait_until(lambda: view.feed.state.status == "idle" and not feed_threads(), "the end of the feed", 5)
        missed = writer.messages(2)
        second = view.live_client(Position(None))
        new = writer.message()
        wait_until(lambda: {*missed, new} <= set(second.ids()), "the messages missed and the new one")
        second.close()


def test_client_that_comes_in_time_keeps_the_feed(firestore: LocalFirestore, writer: Writer) -> None:
    clock = Clock()
    with viewing(firestore.address, replace(QUICK, linger_seconds=60), clock=clock) as view:
        view.live_client().close()
        threads = thread_idents()
        clock.now += 59
        client = view.client()
        clock.now += 3600
        clock.wait_for_checks()
        assert thread_idents() == threads
        assert view.feed.state.status == "live"
        client.close()


def test_deliveries_are_observed_when_a_client_opens(firestore: LocalFirestore) -> None:
    with viewing(firestore.address, replace(QUICK, observe_seconds=3600)) as view:
        client = view.live_client()
        wait_until(lambda: view.observed == 1, "the first observation")
        client.close()
        view.feed.observe()
        assert view.observed == 1, "deliveries were observed without a client"
        second = view.client()
        wait_until(lambda: view.observed == 2, "an observation for the next client")
        second.close()


def test_deliveries_are_observed_again_while_a_client_is_open(firestore: LocalFirestore) -> None:
    with viewing(firestore.address, replace(QUICK, observe_seconds=0.05)) as view:
        client = view.live_client()
        wait_until(lambda: view.observed >= 3, "three observations")
        client.close()


def test_failing_observation_ends_nothing(firestore: LocalFirestore, writer: Writer) -> None:
    with viewing(firestore.address) as view:
        view.observe = lambda: 1 / 0
        client = view.live_client()
        wait_until(lambda: view.logged.getvalue().count("ZeroDivisionError") >= 2, "two failures in the log")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        client.close()


def test_close_ends_every_client_at_once(view: Viewing) -> None:
    clients = [view.live_client() for _ in range(20)]
    began = time.monotonic()
    view.feed.close()
    for client in clients:
        client.close()
    assert time.monotonic() - began < 1
    assert list(view.feed.watch(Position(None))) == []
