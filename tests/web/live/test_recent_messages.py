"""Recent messages are kept within bounds, gaps are reported, and the latest states are sent once."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

from infra.messages.cursor import Cursor
from tests.support.firestore.writer import START, stored_message
from web.live.recent_messages import MAX_BYTES, MAX_MESSAGES, RecentMessage, RecentMessages

FIRST = Cursor(START, "0" * 32)


def recent_with(count: int) -> RecentMessages:
    recent = RecentMessages()
    recent.begin(FIRST, START)
    for number in range(count):
        recent.publish(stored_message(number))
    return recent


def held_count(recent: RecentMessages) -> int:
    return recent.next_number - (recent.read(0, 1).next_number - 1)


def at(number: int) -> Cursor:
    return Cursor(START + timedelta(seconds=number), "0" * 32)


def numbers(messages: list[RecentMessage] | None) -> list[int]:
    assert messages is not None, "messages may be missing"
    return [int(recent.message.message_id) for recent in messages]


def test_read_continues_at_a_number() -> None:
    recent = recent_with(5)
    first = recent.read(0, 3)
    assert (numbers(first.messages), first.next_number, first.has_gap) == ([0, 1, 2], 3, False)
    rest = recent.read(first.next_number, 3)
    assert (numbers(rest.messages), rest.next_number) == ([3, 4], 5)
    assert recent.read(5, 3).messages == []


def test_reader_before_the_oldest_message_gets_a_gap() -> None:
    recent = recent_with(MAX_MESSAGES + 5)
    read = recent.read(0, 1)
    assert read.has_gap
    assert numbers(read.messages) == [5]
    assert not recent.read(5, 1).has_gap


def test_large_payloads_reduce_the_number_of_messages() -> None:
    recent = recent_with(0)
    for number in range(2_000):
        recent.publish(stored_message(number, data=b"x" * 16_384))
    assert held_count(recent) * 16_384 <= MAX_BYTES
    assert recent.read(0, 1).has_gap


def test_large_attributes_reduce_the_number_of_messages() -> None:
    recent = recent_with(0)
    attributes = {f"{number:02}": "é" * 512 for number in range(100)}
    for number in range(400):
        recent.publish(replace(stored_message(number), attributes=attributes))
    assert held_count(recent) * 102_400 <= MAX_BYTES
    assert recent.read(0, 1).has_gap


def test_position_in_memory_is_replayed() -> None:
    assert numbers(recent_with(5).since(at(3), 5)) == [3, 4]


def test_replay_includes_redelivery_of_an_older_message() -> None:
    recent = recent_with(5)
    recent.publish(replace(stored_message(0), deliveries=2))
    assert numbers(recent.since(at(4), 6)) == [4, 0]


def test_replay_ends_before_the_readers_number() -> None:
    assert numbers(recent_with(5).since(at(2), 4)) == [2, 3]


def test_position_before_the_start_is_not_replayed_from_memory() -> None:
    assert recent_with(5).since(Cursor(START - timedelta(seconds=1), "0" * 32), 5) is None


def test_position_before_an_evicted_message_is_not_replayed_from_memory() -> None:
    recent = recent_with(MAX_MESSAGES + 5)
    assert recent.since(at(4), recent.next_number) is None
    assert numbers(recent.since(at(5), recent.next_number))[0] == 5


def test_late_message_does_not_move_the_position_back() -> None:
    recent = recent_with(0)
    recent.publish(stored_message(9))
    recent.publish(stored_message(3))
    positions = [message.position for message in recent.read(0, 9).messages]
    assert positions == [stored_message(9).cursor] * 2


def test_nothing_is_replayed_from_memory_after_the_end() -> None:
    recent = recent_with(3)
    recent.end()
    assert recent.since(at(1), 3) is None
    assert not recent.has_begun


def test_second_begin_empties_the_list_without_a_gap() -> None:
    recent = recent_with(3)
    recent.begin(stored_message(9).cursor, START + timedelta(seconds=9))
    assert recent.since(at(1), 3) is None
    assert not recent.read(3, 9).has_gap
    recent.publish(stored_message(4))
    assert recent.read(3, 9).messages[0].position == stored_message(9).cursor


def test_only_the_latest_frame_of_a_state_is_sent_once() -> None:
    recent = RecentMessages()
    recent.set_state("a", b"1")
    recent.set_state("b", b"2")
    recent.set_state("a", b"3")
    frames, version = recent.states(0)
    assert frames == [b"2", b"3"]
    recent.set_state("a", b"3")
    assert recent.states(version) == ([], version)


def test_wait_ends_at_once_when_a_message_comes() -> None:
    recent = recent_with(0)
    threading.Timer(0.05, recent.publish, (stored_message(1),)).start()
    began = time.monotonic()
    recent.wait(lambda: recent.is_news(0, 99), 5)
    assert time.monotonic() - began < 1


def test_wait_ends_at_once_when_closed() -> None:
    recent = recent_with(0)
    threading.Timer(0.05, recent.close).start()
    began = time.monotonic()
    recent.wait(lambda: recent.is_news(0, 99), 5)
    assert time.monotonic() - began < 1
