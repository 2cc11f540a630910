"""The hub keeps what fits, tells what it lost, and hands out the latest states."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

from infra.messages.cursor import Cursor
from tests.support.firestore.writer import START, stored_message
from web.live import recent_messages as hub_module
from web.live.recent_messages import RecentMessage, RecentMessages

NOTHING = Cursor(START, "0" * 32)


def hub_with(count: int) -> RecentMessages:
    hub = RecentMessages()
    hub.begin(NOTHING, START)
    for number in range(count):
        hub.publish(stored_message(number))
    return hub


def at(number: int) -> Cursor:
    return Cursor(START + timedelta(seconds=number), "0" * 32)


def numbers(entries: list[RecentMessage] | None) -> list[int]:
    assert entries is not None, "the ring says that entries may be missing"
    return [int(entry.message.message_id) for entry in entries]


def test_reads_on_from_a_number() -> None:
    hub = hub_with(5)
    first = hub.read(0, 3)
    assert (numbers(first.entries), first.next_number, first.lost) == ([0, 1, 2], 3, False)
    rest = hub.read(first.next_number, 3)
    assert (numbers(rest.entries), rest.next_number) == ([3, 4], 5)
    assert hub.read(5, 3).entries == []


def test_reader_that_the_ring_left_behind_is_told() -> None:
    hub = hub_with(hub_module.RING_MESSAGES + 5)
    found = hub.read(0, 1)
    assert found.lost
    assert numbers(found.entries) == [5]
    assert not hub.read(5, 1).lost


def test_large_payloads_shorten_the_ring() -> None:
    hub = hub_with(0)
    for number in range(2_000):
        hub.publish(stored_message(number, data=b"x" * 16_384))
    held = hub.next_number - (hub.read(0, 1).next_number - 1)
    assert held * 16_384 <= hub_module.RING_BYTES
    assert hub.read(0, 1).lost


def test_large_attributes_shorten_the_ring() -> None:
    hub = hub_with(0)
    attributes = {f"{number:02}": "é" * 512 for number in range(100)}
    for number in range(400):
        hub.publish(replace(stored_message(number), attributes=attributes))
    held = hub.next_number - (hub.read(0, 1).next_number - 1)
    assert held * 102_400 <= hub_module.RING_BYTES
    assert hub.read(0, 1).lost


def test_replays_from_a_position_it_holds() -> None:
    assert numbers(hub_with(5).since(at(3), 5)) == [3, 4]


def test_a_replay_brings_what_older_messages_became_meanwhile() -> None:
    hub = hub_with(5)
    hub.publish(replace(stored_message(0), deliveries=2))
    assert numbers(hub.since(at(4), 6)) == [4, 0]


def test_replay_ends_where_the_reader_begins() -> None:
    assert numbers(hub_with(5).since(at(2), 4)) == [2, 3]


def test_position_before_the_start_is_not_replayed_from_memory() -> None:
    assert hub_with(5).since(Cursor(START - timedelta(seconds=1), "0" * 32), 5) is None


def test_position_before_what_was_evicted_is_not_replayed_from_memory() -> None:
    hub = hub_with(hub_module.RING_MESSAGES + 5)
    assert hub.since(at(4), hub.next_number) is None
    assert numbers(hub.since(at(5), hub.next_number))[0] == 5


def test_late_message_keeps_the_position() -> None:
    hub = hub_with(0)
    hub.publish(stored_message(9))
    hub.publish(stored_message(3))
    positions = [entry.position for entry in hub.read(0, 9).entries]
    assert positions == [stored_message(9).cursor] * 2


def test_nothing_is_replayed_from_memory_after_the_end() -> None:
    hub = hub_with(3)
    hub.end()
    assert hub.since(at(1), 3) is None
    assert not hub.began


def test_beginning_again_forgets_and_loses_no_reader() -> None:
    hub = hub_with(3)
    hub.begin(stored_message(9).cursor, START + timedelta(seconds=9))
    assert hub.since(at(1), 3) is None
    assert not hub.read(3, 9).lost
    hub.publish(stored_message(4))
    assert hub.read(3, 9).entries[0].position == stored_message(9).cursor


def test_states_are_latest_only_and_sent_once() -> None:
    hub = RecentMessages()
    hub.show("a", b"1")
    hub.show("b", b"2")
    hub.show("a", b"3")
    frames, version = hub.states(0)
    assert frames == [b"2", b"3"]
    hub.show("a", b"3")
    assert hub.states(version) == ([], version)


def test_waiting_ends_at_once_when_something_comes() -> None:
    hub = hub_with(0)
    threading.Timer(0.05, hub.publish, (stored_message(1),)).start()
    began = time.monotonic()
    hub.wait(lambda: hub.is_news(0, 99), 5)
    assert time.monotonic() - began < 1


def test_closing_ends_waiting() -> None:
    hub = hub_with(0)
    threading.Timer(0.05, hub.close).start()
    began = time.monotonic()
    hub.wait(lambda: hub.is_news(0, 99), 5)
    assert time.monotonic() - began < 1
