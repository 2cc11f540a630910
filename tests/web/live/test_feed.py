"""When the feed works, and when it rests."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import QUICK, Viewing, feed_threads, viewing
from tests.support.waiting import wait_until
from web.live.sse import Position


@pytest.fixture
def firestore() -> Iterator[LocalFirestore]:
    server = LocalFirestore()
    yield server
    server.close()


@pytest.fixture
def writer(firestore: LocalFirestore) -> Iterator[Writer]:
    found = Writer(firestore.address)
    yield found
    found.close()


@pytest.fixture
def view(firestore: LocalFirestore) -> Iterator[Viewing]:
    with viewing(firestore.address) as found:
        yield found


def test_nothing_runs_before_the_first_watcher(view: Viewing) -> None:
    assert feed_threads() == []
    assert view.feed.state.status == "idle"
    assert not view.observed


def test_ends_a_while_after_the_last_watcher_left(firestore: LocalFirestore, writer: Writer) -> None:
    with viewing(firestore.address, replace(QUICK, linger_seconds=0.8)) as view:
        client = view.live_client()
        client.close()
        time.sleep(0.3)
        assert view.feed.state.status == "live"
        wait_until(lambda: view.feed.state.status == "idle" and not feed_threads(), "the end of the feed", 5)
        missed = writer.messages(2)
        again = view.live_client(Position(None))
        new = writer.message()
        wait_until(lambda: {*missed, new} <= set(again.ids()), "what came meanwhile and after")
        again.close()


def test_watcher_that_comes_in_time_keeps_the_feed(firestore: LocalFirestore, writer: Writer) -> None:
    with viewing(firestore.address, replace(QUICK, linger_seconds=1.0)) as view:
        view.live_client().close()
        threads = feed_threads()
        time.sleep(0.4)
        client = view.client()
        time.sleep(1.2)
        assert feed_threads() == threads
        assert view.feed.state.status == "live"
        client.close()


def test_observes_at_once_and_then_while_watched(firestore: LocalFirestore) -> None:
    with viewing(firestore.address, replace(QUICK, observe_seconds=3)) as view:
        client = view.live_client()
        wait_until(lambda: view.observed >= 1, "the first observation", 2.5)
        wait_until(lambda: view.observed >= 2, "a further observation", 8)
        client.close()
        time.sleep(0.4)
        count = view.observed
        time.sleep(4)
        assert view.observed == count, "nobody watches, and it is still observed"
        another = view.client()  # who must stay until then: for nobody it is not observed
        wait_until(lambda: view.observed > count, "an observation for the next watcher", 2.5)
        another.close()


def test_failing_observation_ends_nothing(firestore: LocalFirestore, writer: Writer) -> None:
    with viewing(firestore.address) as view:
        view.feed._while_watched = lambda: 1 / 0
        client = view.live_client()
        wait_until(lambda: view.logged.getvalue().count("ZeroDivisionError") >= 2, "two failures in the log")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        client.close()


def test_closing_ends_every_watcher_at_once(view: Viewing) -> None:
    clients = [view.live_client() for _ in range(20)]
    began = time.monotonic()
    view.feed.close()
    for client in clients:
        client.close()
    assert time.monotonic() - began < 1
    assert list(view.feed.watch(Position(None))) == []
