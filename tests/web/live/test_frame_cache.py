"""Frames are encoded once for all, and what is kept of them is bounded, however long a publisher makes them."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO

import pytest

from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from tests.support.firestore.writer import START, stored_message
from web.live import frame_cache as frames_module
from web.live.frame_cache import FrameCache
from web.live.recent_messages import RecentMessage

NOTHING = Cursor(START, "0" * 32)
MIB = 1024 * 1024


@pytest.fixture
def allocated() -> Iterator[Callable[[], int]]:
    """How many bytes Python holds beyond what it held before."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    yield lambda: tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()


def frames_of(render: Callable[[Message], str]) -> FrameCache:
    return FrameCache(render, Logger(stream=StringIO()))


def long_rows(letter: str) -> Callable[[Message], str]:
    return lambda _: letter * 90_000


def test_each_state_of_a_message_is_rendered_once() -> None:
    rendered: list[str] = []

    def render(found: Message) -> str:
        rendered.append(found.message_id)
        return "<tr>"

    frames = frames_of(render)
    first = stored_message(1)
    entry = RecentMessage(first, first.cursor)
    assert frames.of_recent(entry) == frames.of_recent(entry) == frames.of_message(first, first.cursor)
    frames.of_message(replace(first, deliveries=2), first.cursor)
    assert rendered == ["1", "1"]


def test_rendered_bodies_are_bounded() -> None:
    frames = frames_of(lambda _: "<tr>")
    for number in range(frames_module.BODIES + 100):
        frames.of_message(stored_message(number), NOTHING)
    assert len(frames._bodies) == frames_module.BODIES


def test_long_rows_of_many_views_do_not_hold_more_in_memory(allocated: Callable[[], int]) -> None:
    usual = frames_of(lambda message: message.message_id * 20_000)
    views = [usual, *(usual.rendered_by(long_rows(letter)) for letter in "abc")]
    entries = [RecentMessage(stored_message(number), NOTHING) for number in range(100, 400)]
    for entry in entries:
        for view in views:
            assert len(view.of_recent(entry)) > 60_000
    assert allocated() < frames_module.BODIES_BYTES + 4 * MIB
    assert len(usual._bodies) > 100, "what fits is kept"


def test_a_row_longer_than_all_that_may_be_kept_is_sent() -> None:
    frames = frames_of(lambda _: "x" * (frames_module.BODIES_BYTES + 1))
    for number in range(2):
        assert len(frames.of_message(stored_message(number), NOTHING)) > frames_module.BODIES_BYTES
    assert len(frames._bodies) == 1
