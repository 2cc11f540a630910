"""The memory of frames that wait for their clients."""

from collections import deque

from web.live.held_frames import FrameMemory


def test_frame_is_free_when_it_is_sent() -> None:
    memory = FrameMemory(100)
    frames = memory.hold(deque([b"x" * 60, b"y" * 40]))
    assert frames is not None
    assert memory.hold(deque([b"z"])) is None
    assert next(frames) == b"x" * 60
    assert memory.free_bytes == 60
    assert list(frames) == [b"y" * 40]
    assert memory.free_bytes == 100


def test_frames_of_a_client_that_left_are_free() -> None:
    memory = FrameMemory(100)
    frames = memory.hold(deque([b"x" * 60, b"y" * 40]))
    assert frames is not None
    next(frames)
    del frames
    assert memory.free_bytes == 100
