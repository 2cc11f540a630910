"""Frames that wait for their clients: all of them share one budget of memory. Thread-safe."""

import threading
from collections import deque
from collections.abc import Iterator

MAX_BYTES = 24 * 1024 * 1024


class FrameMemory:
    """The memory of the frames of all catch-ups that are not sent yet."""

    def __init__(self, free_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self.free_bytes = free_bytes

    def hold(self, frames: deque[bytes]) -> Iterator[bytes] | None:
        """Return the frames, each free when it is sent; None if they do not fit."""
        size = sum(map(len, frames))
        with self._lock:
            if size > self.free_bytes:
                return None
            self.free_bytes -= size
        return _HeldFrames(self, frames)

    def free(self, size: int) -> None:
        """Give bytes back."""
        with self._lock:
            self.free_bytes += size


class _HeldFrames(Iterator[bytes]):
    def __init__(self, memory: FrameMemory, frames: deque[bytes]) -> None:
        self._memory, self._frames = memory, frames

    def __next__(self) -> bytes:
        if not self._frames:
            raise StopIteration
        frame = self._frames.popleft()
        self._memory.free(len(frame))
        return frame

    def __del__(self) -> None:
        # The client left before it got these.
        self._memory.free(sum(map(len, self._frames)))
