"""One client gets new messages at once, and after a reconnection each message that it missed."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from infra.firestore.message_reader import Selection
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION
from tests.support.firestore.writer import Writer, stored_message
from tests.support.viewer.feed import Client, Frames, Viewing, viewing
from tests.support.waiting import wait_until
from web.live.client_feed import MAX_WRITE_BYTES, PACE_SECONDS, ClientFeed
from web.live.client_filter import ClientFilter, parse_client_filter
from web.live.sse import KEEP_ALIVE, Position, parse_position

BEGINNING = Position(None)


def last_id(client: Client) -> Position:
    """Return the position with which a browser would reconnect."""
    return parse_position(client.of("message")[-1].id, "")


def events(client: Client) -> list[str]:
    return [frame.event for frame in client.frames]


def an_hour_ago() -> Position:
    return Position(Cursor(datetime.now(UTC) - timedelta(hours=1), "a" * 32))


def only(subscription: str) -> ClientFilter:
    """Return a filter that Firestore does not narrow."""
    return ClientFilter(accepts=lambda message: message.subscription == subscription)


def wait_for_arrival(client: Client, documents: list[str]) -> None:
    """Wait until the feed has published messages: then they are in memory for every client."""
    wait_until(lambda: set(documents) <= set(client.ids()), "the messages' arrival at a client that reads")


def test_message_frame_carries_the_data_of_its_row(view: Viewing, writer: Writer) -> None:
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


def test_redelivery_that_ends_a_match_removes_the_message(view: Viewing, writer: Writer) -> None:
    client = view.live_client(client_filter=parse_client_filter("-has:redelivery hello", ""))
    document, other = writer.message(), writer.message(data=b"other", preview="other")
    wait_until(lambda: client.ids() == [document], "the message's arrival")
    writer.redeliver(other, 2)
    writer.redeliver(document, 2)
    wait_until(lambda: client.of("gone"), "the removal")
    assert [frame.data for frame in client.of("gone")] == [{"id": document, "deliveries": 2}]


def test_reconnected_client_gets_removals_that_it_missed(firestore: LocalFirestore, writer: Writer) -> None:
    client_filter = parse_client_filter("-has:redelivery", "")
    document = writer.message()
    with viewing(firestore.address) as first:
        client = first.live_client(client_filter=client_filter)
        wait_until(lambda: client.ids() == [document], "the message's arrival")
        position = last_id(client)
    writer.redeliver(document, 2)
    with viewing(firestore.address) as second:  # a new process reads it from Firestore, not from memory
        reconnected = second.live_client(position, client_filter)
        wait_until(lambda: reconnected.of("gone"), "the removal after the reconnection")
        assert reconnected.of("gone")[0].data["id"] == document


def test_subscription_state_is_sent_at_the_beginning_and_at_each_change(view: Viewing, writer: Writer) -> None:
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


def test_state_of_an_unmonitored_subscription_is_not_sent(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    writer.subscription("foreign", observed_running=True)
    writer.subscription(SUBSCRIPTION, observed_running=True)
    wait_until(lambda: client.of("delivery"), "the state's arrival")
    assert [frame.data["subscription"] for frame in client.of("delivery")] == [SUBSCRIPTION]


def test_first_frame_after_a_pause_is_sent_at_once(view: Viewing) -> None:
    client = view.live_client()
    delays = []
    for count in range(1, 8):
        time.sleep(PACE_SECONDS * 1.5)
        began = time.monotonic()
        view.feed.on_message(stored_message(count))
        wait_until(lambda count=count: len(client.ids()) == count, "the message's arrival")  # type: ignore[misc]
        delays.append(client.of("message")[-1].at - began)
    assert sorted(delays)[3] < 0.06, f"publishing to frame took {delays}"


def test_burst_is_joined_into_ten_writes_a_second(view: Viewing, writer: Writer) -> None:
    client = view.live_client()
    before, began = len(client.chunks), time.monotonic()
    while time.monotonic() - began < 2:
        writer.messages(5)
        time.sleep(0.01)
    writes = len(client.chunks) - before
    assert writes <= 22
    assert len(client.ids()) > 5 * writes


def test_reconnected_client_gets_missed_messages_from_memory(view: Viewing, writer: Writer) -> None:
    other, client = view.live_client(), view.live_client()
    first = writer.message()
    wait_until(lambda: first in client.ids(), "the first message's arrival")
    client.close()
    missed = writer.messages(3)
    wait_for_arrival(other, missed)
    reconnected = view.client(last_id(client))
    wait_until(lambda: "caughtup" in events(reconnected), "the end of the replay")
    assert set(missed) <= set(reconnected.ids())
    assert events(reconnected)[-1] == "caughtup"
    assert "resync" not in events(reconnected)


def test_client_of_a_new_process_gets_missed_messages_from_firestore(firestore: LocalFirestore, writer: Writer) -> None:
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
def test_invalid_position_gives_a_resync_and_then_new_messages(text: str, view: Viewing, writer: Writer) -> None:
    view.live_client()
    client = view.client(parse_position(text, ""))
    wait_until(lambda: "resync" in events(client), "the resync")
    message = writer.message()
    wait_until(lambda: message in client.ids(), "the message's arrival")
    assert events(client).count("resync") == 1


def test_too_many_missed_bytes_give_a_resync(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    old = writer.messages(200, received_at=now - timedelta(minutes=1))
    writer.message(received_at=now)  # the listener starts 10 s before the newest message: after the old ones
    with viewing(firestore.address) as view:
        view.render = lambda message: "x" * 50_000
        client = view.live_client(an_hour_ago())
        wait_until(lambda: "resync" in events(client), "the resync")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        assert not set(old) & set(client.ids())
        client.close()


def test_too_many_missed_messages_give_a_resync(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    for minute in range(3):
        writer.messages(200, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(an_hour_ago())
        wait_until(lambda: "resync" in events(client), "the resync")
        message = writer.message()
        wait_until(lambda: message in client.ids(), "the message's arrival")
        client.close()


def test_catch_up_waits_for_a_free_slot(firestore: LocalFirestore, writer: Writer) -> None:
    missed = writer.messages(3, received_at=datetime.now(UTC) - timedelta(minutes=1))
    reading, may_end = threading.Event(), threading.Event()

    def read_slowly(_: Message) -> bool:
        reading.set()
        return may_end.wait(30)

    with viewing(firestore.address, max_catch_up_reads=1) as view:
        first = view.client(client_filter=ClientFilter(accepts=read_slowly))
        assert reading.wait(10), "the first catch-up did not begin"
        with view.feed.watch(BEGINNING) as second:
            frames = Frames()
            frames.feed(second.poll(0.1))
            assert not frames.ids(), "the second catch-up did not wait"
            may_end.set()
            poll_until(second, frames, lambda: set(missed) <= set(frames.ids()))
        first.close()


def poll_until(client_feed: ClientFeed, frames: Frames, condition: Callable[[], bool]) -> None:
    """Read a client until a condition holds."""
    for _ in range(40):
        if condition():
            return
        frames.feed(client_feed.poll(1))
    raise AssertionError(f"the frames did not come; there are {[frame.event for frame in frames.frames]}")


def test_position_in_the_future_gives_a_resync(view: Viewing, writer: Writer) -> None:
    writer.message()
    client = view.client(Position(Cursor(datetime.now(UTC) + timedelta(minutes=2), "a" * 32)))
    wait_until(lambda: "resync" in events(client), "the resync")


def test_rejected_messages_do_not_count_as_missed(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    missed = [writer.message(subscription="rare", received_at=now - timedelta(minutes=minute)) for minute in (2, 8)]
    for minute in range(1, 10, 2):
        writer.messages(300, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(an_hour_ago(), only("rare"))
        wait_until(lambda: "caughtup" in events(client), "the end of the replay")
        assert client.ids() == missed[::-1]
        assert "resync" not in events(client)
        client.close()


def test_search_for_missed_messages_is_bounded(firestore: LocalFirestore, writer: Writer) -> None:
    now = datetime.now(UTC)
    for minute in range(6):
        writer.messages(400, received_at=now - timedelta(minutes=minute))
    with viewing(firestore.address) as view:
        client = view.live_client(an_hour_ago(), only("rare"))
        wait_until(lambda: "resync" in events(client), "the resync")
        client.close()


def test_keep_alive_carries_the_position_of_rejected_messages(view: Viewing, writer: Writer) -> None:
    reader = view.live_client()
    with view.feed.watch(BEGINNING, only("rare")) as client:
        client.poll(1)
        assert client.keep_alive() == KEEP_ALIVE
        messages = writer.messages(20)
        last = view.messages.get(messages[-1])
        assert last
        wait_for_arrival(reader, messages)
        assert not client.poll(0.5), "none of them is for this client"
        position = client.keep_alive().split(b"\n")[0].removeprefix(b"id: ").decode()
        assert Cursor.parse(position).at == last.received_at


def test_filter_applies_to_replayed_and_to_live_messages(view: Viewing, writer: Writer) -> None:
    before = writer.message(subscription="other"), writer.message()
    client_filter = ClientFilter(Selection(subscription=SUBSCRIPTION), only(SUBSCRIPTION).accepts)
    client = view.live_client(client_filter=client_filter)
    after = writer.message(subscription="other"), writer.message()
    wait_until(lambda: after[1] in client.ids(), "the message's arrival")
    assert client.ids() == [before[1], after[1]]


def test_connections_cut_at_random_together_get_every_message(view: Viewing, writer: Writer) -> None:
    """Nothing is missing, whenever a browser's connection breaks."""
    dice = random.Random(4)
    view.live_client()
    client, all_ids = view.live_client(), set[str]()
    sent: list[str] = []
    for _ in range(12):
        for _ in range(dice.randrange(1, 6)):
            sent += writer.messages(dice.randrange(1, 4))
            time.sleep(dice.random() * 0.05)
        position = last_id(client) if client.of("message") else BEGINNING
        client.close()
        assert len(client.ids()) == len(set(client.ids())), "one connection got a message twice"
        all_ids.update(client.ids())
        sent += writer.messages(dice.randrange(0, 3)) if dice.random() < 0.5 else []
        client = view.client(position)
    wait_until(lambda: all_ids | set(client.ids()) >= set(sent), "the arrival of every message")
    assert "resync" not in events(client)


def test_client_that_falls_behind_gets_a_resync(view: Viewing, writer: Writer) -> None:
    reader = view.live_client()
    with view.feed.watch(BEGINNING) as slow:
        slow.poll(1)
        slow.poll(1)
        for _ in range(6):
            wait_for_arrival(reader, writer.messages(400))
        assert b"event: resync" in slow.poll(1)
        message = writer.message()
        chunks = itertools.takewhile(lambda chunk: chunk, iter(lambda: slow.poll(1), b""))
        assert any(message.encode() in chunk for chunk in chunks)


def test_slow_client_encodes_no_more_than_one_write_ahead(view: Viewing, writer: Writer) -> None:
    """Hundreds may reconnect together, each with its own rows."""
    reader = view.live_client()
    encoded = 0

    def render(_: Message) -> str:
        nonlocal encoded
        encoded += 50_000
        return "y" * 50_000

    def rendered_by_itself(message: Message) -> str:  # another function, so that no frame comes from the cache
        return render(message)

    live = view.feed.watch(BEGINNING, render=render)
    live.poll(1)
    messages = writer.messages(100)
    wait_for_arrival(reader, messages)
    reconnected = view.feed.watch(BEGINNING, render=rendered_by_itself)
    for client in (live, reconnected):
        frames, encoded, read_bytes = Frames(), 0, 0
        for _ in range(40):
            chunk = client.poll(1)
            frames.feed(chunk)
            read_bytes += len(chunk)
            assert encoded - read_bytes < MAX_WRITE_BYTES
            if len(set(frames.ids())) == len(messages):
                break
        client.close()
        assert set(frames.ids()) == set(messages)


def test_one_write_is_bounded(view: Viewing, writer: Writer) -> None:
    reader = view.live_client()
    view.render = lambda message: "x" * 10_000
    with view.feed.watch(BEGINNING) as client:
        client.poll(1)
        wait_for_arrival(reader, writer.messages(200))
        sizes = [len(client.poll(1)) for _ in range(9)]
        assert max(sizes) < MAX_WRITE_BYTES + 11_000
        assert sum(sizes) > 200 * 10_000
