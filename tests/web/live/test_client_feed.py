"""What one client of the feed gets: at once, later, and when it comes back."""

import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.firestore.message_reader import Selection
from infra.messages.cursor import Cursor
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.firestore.writer import Writer
from tests.support.viewer.feed import Client, Frames, Viewing, viewing
from tests.support.waiting import wait_until
from web.live import client_feed as watcher_module
from web.live.sse import KEEP_ALIVE, Position, parse_position
from web.live.views import read_stream_request


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


def last_id(client: Client) -> Position:
    """Where a browser would come back."""
    return parse_position(client.of("message")[-1].id, "")


def events(client: Client) -> list[str]:
    return [frame.event for frame in client.frames]


def test_message_frame_carries_what_the_page_needs(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    document = writer.message()
    wait_until(lambda: client.of("message"), "the message's arrival")
    stored = view.messages.get(document)
    assert stored
    frame = client.of("message")[0]
    assert frame.id == str(stored.cursor)
    assert frame.data == {
        "id": document,
        "cursor": str(stored.cursor),
        "subscription": SUBSCRIPTION,
        "deliveries": 1,
        "received_at": stored.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "html": "<tr>hello</tr>",
    }


def test_a_redelivery_that_ends_a_match_takes_the_message_away(view: Viewing, writer: Writer) -> None:
    wanted = read_stream_request("-has:redelivery hello", "")
    client = view.live_client(selection=wanted.selection, accepts=wanted.accepts)
    document, other = writer.message(), writer.message(data=b"other", preview="other")
    wait_until(lambda: client.ids() == [document], "the message's arrival")
    writer.redeliver(other, 2)
    writer.redeliver(document, 2)
    wait_until(lambda: client.of("gone"), "the removal")
    assert [frame.data for frame in client.of("gone")] == [{"id": document, "deliveries": 2}]


def test_a_client_that_comes_back_learns_what_no_longer_matches(firestore: LocalFirestore, writer: Writer) -> None:
    wanted = read_stream_request("-has:redelivery", "")
    document = writer.message()
    with viewing(firestore.address) as first:
        client = first.live_client(selection=wanted.selection, accepts=wanted.accepts)
        wait_until(lambda: client.ids() == [document], "the message's arrival")
        position = last_id(client)
    writer.redeliver(document, 2)
    with viewing(firestore.address) as second:  # which knows it from Firestore, not from its memory
        back = second.live_client(position, selection=wanted.selection, accepts=wanted.accepts)
        wait_until(lambda: back.of("gone"), "the removal after coming back")
        assert back.of("gone")[0].data["id"] == document


def test_subscription_state_comes_at_the_beginning_and_at_each_change(view: Viewing, writer: Writer) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    writer.subscription(SUBSCRIPTION, observed_running=True, changed_by="ada", changed_at=moment)
    client = view.live_client()
    wait_until(lambda: client.of("delivery"), "the state's arrival")
    assert client.of("delivery")[0].data == {
        "subscription": SUBSCRIPTION,
        "observed_running": True,
        "changed_by": "ada",
        "changed_at": "2026-01-02T03:04:05.678Z",
    }
    writer.subscription(SUBSCRIPTION, observed_running=False)
    wait_until(lambda: len(client.of("delivery")) == 2, "the change's arrival")
    second = view.client()
    wait_until(lambda: second.of("delivery"), "the state's arrival at a second client")
    assert second.of("delivery")[0].data["observed_running"] is False


def test_states_of_other_subscriptions_are_not_shown(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    writer.subscription("foreign", observed_running=True)
    writer.subscription(SUBSCRIPTION, observed_running=True)
    wait_until(lambda: client.of("delivery"), "the state's arrival")
    assert [frame.data["subscription"] for frame in client.of("delivery")] == [SUBSCRIPTION]


def test_first_frame_after_idleness_goes_at_once(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    delays = []
    for count in range(1, 8):
        time.sleep(0.15)
        began = time.monotonic()
        writer.message()
        wait_until(lambda count=count: len(client.ids()) == count, "the message's arrival")  # type: ignore[misc]
        delays.append(client.of("message")[-1].at - began)
    assert sorted(delays)[3] < 0.06, f"publishing to frame took {delays}"


def test_bursts_are_coalesced_into_ten_writes_a_second(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    before, began = len(client.chunks), time.monotonic()
    while time.monotonic() - began < 2:
        writer.messages(5)
        time.sleep(0.01)
    wrote = len(client.chunks) - before
    assert wrote <= 22
    assert len(client.ids()) > 5 * wrote


def test_coming_back_gets_what_was_missed_from_memory(view: Viewing, writer: Writer) -> None:
    other, client = view.live_client(), view.live_client()
    first = writer.message()
    wait_until(lambda: first in client.ids(), "the first message's arrival")
    client.close()
    missed = writer.messages(3)
    wait_until(lambda: set(missed) <= set(other.ids()), "the messages' arrival at another client")
    back = view.client(last_id(client))
    wait_until(lambda: "caughtup" in events(back), "the end of what was missed")
    assert set(missed) <= set(back.ids())
    assert events(back)[-1] == "caughtup"
    assert "resync" not in events(back)


def test_coming_back_to_a_new_process_gets_what_was_missed_from_firestore(
    firestore: LocalFirestore, writer: Writer
) -> None:
    now = datetime.now(UTC)
    messages = [writer.message(received_at=now - timedelta(seconds=60 - second)) for second in range(60)]
    with viewing(firestore.address) as view:
        stored = view.messages.get(messages[20])
        assert stored
        client = view.live_client(Position(stored.cursor))
        wait_until(lambda: messages[-1] in client.ids(), "the newest message's arrival")
        assert client.ids() == messages[11:] or client.ids() == messages[10:]
        positions = [Cursor.parse(frame.id) for frame in client.of("message")]
        assert positions == sorted(positions)
        assert positions[0] == stored.cursor, "the position moved back"
        client.close()


@pytest.mark.parametrize(
    "text", ["garbage", "1-2", "9" * 16 + "-" + "a" * 32, "0" * 5000, "' OR 1=1", "\x00"], ids=range(6)
)
def test_unusable_position_is_a_resync_and_then_goes_on(text: str, view: Viewing, writer: Writer) -> None:
    view.live_client()
    client = view.client(parse_position(text, ""))
    wait_until(lambda: "resync" in events(client), "the resync")
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")
    assert events(client).count("resync") == 1


def test_too_many_bytes_are_a_resync(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    old = writer.messages(200, received_at=now - timedelta(minutes=1))
    with viewing(firestore.address) as view:
        view.render = lambda message: "x" * 50_000
        client = view.live_client(Position(Cursor(now - timedelta(hours=1), "a" * 32)))
        wait_until(lambda: "resync" in events(client), "the resync")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        assert not set(old) & set(client.ids())
        client.close()


def test_many_that_come_back_at_once_take_turns(firestore: LocalFirestore, writer: Writer) -> None:
    missed = writer.messages(3, received_at=datetime.now(UTC) - timedelta(minutes=1))
    turns = [watcher_module.REPLAY_SLOTS.acquire(timeout=1) for _ in range(8)]
    assert all(turns)
    try:
        with viewing(firestore.address) as view:
            client = view.live_client()
            time.sleep(0.5)
            assert not client.ids(), "it did not wait for its turn"
            watcher_module.REPLAY_SLOTS.release()
            turns.pop()
            wait_until(lambda: set(missed) <= set(client.ids()), "what was missed")
            client.close()
    finally:
        for _ in turns:
            watcher_module.REPLAY_SLOTS.release()


def test_position_of_the_future_is_a_resync(view: Viewing, writer: Writer) -> None:
    writer.message()
    client = view.client(Position(Cursor(datetime.now(UTC) + timedelta(minutes=2), "a" * 32)))
    wait_until(lambda: "resync" in events(client), "the resync")


def test_too_much_is_a_resync(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    for minute in range(3):
        writer.messages(200, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(Position(Cursor(now - timedelta(hours=1), "a" * 32)))
        wait_until(lambda: "resync" in events(client), "the resync")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        client.close()


def only(subscription: str) -> dict[str, Any]:
    """A filter that Firestore does not narrow."""
    return {"accepts": lambda message: message.subscription == subscription}


def test_what_a_filter_leaves_out_makes_nobody_start_over(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    missed = [writer.message(subscription="rare", received_at=now - timedelta(minutes=minute)) for minute in (2, 8)]
    for minute in range(1, 10, 2):
        writer.messages(300, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(Position(Cursor(now - timedelta(hours=1), "a" * 32)), **only("rare"))
        wait_until(lambda: "caughtup" in events(client), "the end of the replay")
        assert client.ids() == missed[::-1]
        assert "resync" not in events(client)
        client.close()


def test_a_search_for_what_was_missed_is_bounded(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    for minute in range(6):
        writer.messages(400, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(Position(Cursor(now - timedelta(hours=1), "a" * 32)), **only("rare"))
        wait_until(lambda: "resync" in events(client), "the resync")
        client.close()


def test_a_pulse_says_how_far_a_filter_has_looked(view: Viewing, writer: Writer) -> None:
    view.live_client()
    watcher = view.feed.watch(Position(None), **only("rare"))
    watcher.poll(1)
    assert watcher.keep_alive() == KEEP_ALIVE
    last = view.messages.get(writer.messages(20)[-1])
    assert last
    wait_until(lambda: watcher._hub.next_number >= 20, "the messages' arrival in the ring")
    assert not watcher.poll(0.5), "none of them is for this client"
    position = watcher.keep_alive().split(b"\n")[0].removeprefix(b"id: ").decode()
    assert Cursor.parse(position).at == last.received_at
    watcher.close()


def test_filter_applies_to_replay_and_to_live_messages(view: Viewing, writer: Writer) -> None:
    before = writer.message(subscription="other"), writer.message()
    wanted: dict[str, Any] = {
        "selection": Selection(subscription=SUBSCRIPTION),
        "accepts": lambda message: message.subscription == SUBSCRIPTION,
    }
    client = view.live_client(**wanted)
    after = writer.message(subscription="other"), writer.message()
    wait_until(lambda: after[1] in client.ids(), "the message's arrival")
    assert client.ids() == [before[1], after[1]]


def test_cut_connections_together_got_every_message(view: Viewing, writer: Writer) -> None:
    """Whatever the moments at which a browser's connection breaks, nothing is missing."""
    dice = random.Random(4)
    view.live_client()
    client, all_ids = view.live_client(), set[str]()
    sent: list[str] = []
    for _ in range(12):
        for _ in range(dice.randrange(1, 6)):
            sent += writer.messages(dice.randrange(1, 4))
            time.sleep(dice.random() * 0.05)
        position = last_id(client) if client.of("message") else Position(None)
        client.close()
        assert len(client.ids()) == len(set(client.ids())), "one connection got a message twice"
        all_ids.update(client.ids())
        sent += writer.messages(dice.randrange(0, 3)) if dice.random() < 0.5 else []
        client = view.client(position)
    wait_until(lambda: all_ids | set(client.ids()) >= set(sent), "the arrival of every message")
    assert "resync" not in events(client)


def test_client_left_behind_gets_a_resync(view: Viewing, writer: Writer) -> None:
    view.live_client()
    slow = view.feed.watch(Position(None))
    slow.poll(1)
    slow.poll(1)
    for _ in range(6):
        writer.messages(400)
    wait_until(lambda: slow._hub.next_number >= 2400, "the messages' arrival in the ring")
    assert b"event: resync" in slow.poll(1)
    message = writer.message()
    chunks = itertools.takewhile(lambda chunk: chunk, iter(lambda: slow.poll(1), b""))
    assert any(message.encode() in chunk for chunk in chunks)
    slow.close()


def test_a_slow_client_that_comes_back_holds_little(view: Viewing, writer: Writer) -> None:
    """Hundreds may come back at the same moment, each with its own rows."""
    view.live_client()
    back = view.feed.watch(Position(None), render=lambda message: "y" * 50_000)
    back.poll(1)
    first = writer.messages(100)
    wait_until(lambda: back._hub.next_number >= 100, "the messages' arrival in the ring")
    parser = Frames()
    for watcher in (back, view.feed.watch(Position(None), render=lambda message: "y" * 50_000)):
        for _ in range(40):
            parser.feed(watcher.poll(1))
            assert sum(map(len, watcher._backlog)) < watcher_module.MAX_WRITE_BYTES
            if len(set(parser.ids())) == len(first):
                break
        watcher.close()
        assert set(parser.ids()) == set(first)
        parser = Frames()


def test_one_write_is_bounded(view: Viewing, writer: Writer) -> None:
    view.live_client()
    view.render = lambda message: "x" * 10_000
    watcher = view.feed.watch(Position(None))
    watcher.poll(1)
    writer.messages(200)
    wait_until(lambda: watcher._hub.next_number >= 200, "the messages' arrival in the ring")
    sizes = [len(watcher.poll(1)) for _ in range(9)]
    assert max(sizes) < watcher_module.MAX_WRITE_BYTES + 11_000
    assert sum(sizes) > 200 * 10_000
    watcher.close()
