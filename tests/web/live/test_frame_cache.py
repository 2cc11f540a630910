"""Frames are encoded once for all clients, and the cache is bounded even when publishers make frames long."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO

import pytest

from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from tests.support.firestore.writer import START, stored_message
from web.live.frame_cache import MAX_BODIES, MAX_BODIES_BYTES, FrameCache
from web.live.recent_messages import RecentMessage

FIRST = Cursor(START, "0" * 32)
MIB = 1024 * 1024


@pytest.fixture
def allocated() -> Iterator[Callable[[], int]]:
    """Return a function that counts the bytes Python has allocated since now."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield lambda: tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()


def frame_cache(render: Callable[[Message], str]) -> FrameCache:
    return FrameCache(render, Logger(stream=StringIO()))


def long_rows(letter: str) -> Callable[[Message], str]:
    return lambda _: letter * 90_000


def test_each_state_of_a_message_is_rendered_once() -> None:
    rendered: list[str] = []

    def render(message: Message) -> str:
        rendered.append(message.message_id)
        return "<tr>"

    cache = frame_cache(render)
    message = stored_message(1)
    recent = RecentMessage(message, message.cursor)
    assert cache.of_recent(recent) == cache.of_recent(recent) == cache.of_message(message, message.cursor)
    cache.of_message(replace(message, deliveries=2), message.cursor)
    assert rendered == ["1", "1"]


def test_number_of_cached_bodies_is_bounded() -> None:
    cache = frame_cache(lambda _: "<tr>")
    for number in range(MAX_BODIES + 100):
        cache.of_message(stored_message(number), FIRST)
    assert len(cache) == MAX_BODIES


def test_long_rows_of_many_views_share_one_bound(allocated: Callable[[], int]) -> None:
    usual = frame_cache(lambda message: message.message_id * 20_000)
    views = [usual, *(usual.rendered_by(long_rows(letter)) for letter in "abc")]
    recent = [RecentMessage(stored_message(number), FIRST) for number in range(100, 400)]
    for message in recent:
        for view in views:
            assert len(view.of_recent(message)) > 60_000
    assert allocated() < MAX_BODIES_BYTES + 4 * MIB
    assert len(usual) > 100, "frames within the bound were not kept"


def test_row_longer_than_the_whole_cache_is_sent() -> None:
    cache = frame_cache(lambda _: "x" * (MAX_BODIES_BYTES + 1))
    for number in range(2):
        assert len(cache.of_message(stored_message(number), FIRST)) > MAX_BODIES_BYTES
    assert len(cache) == 1
