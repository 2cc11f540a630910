"""The store's clock: microseconds since 1970 that never repeat for two commits and never run backwards."""

import time

from infra.local.firestore.protos import Pb


class Clock:
    """Wall time, pushed forward where the wall clock is too coarse or steps back."""

    def __init__(self) -> None:
        self._last = 0

    def tick(self) -> int:
        """A time later than every time given out before: the time of a commit."""
        self._last = max(time.time_ns() // 1000, self._last + 1)
        return self._last

    def read(self) -> int:
        """The time of a read: no commit that comes later will carry it."""
        self._last = max(time.time_ns() // 1000, self._last)
        return self._last


def put_time(timestamp: Pb, microseconds: int) -> None:
    """Write ``microseconds`` into a protobuf Timestamp."""
    seconds, rest = divmod(microseconds, 1_000_000)
    timestamp.seconds = seconds
    timestamp.nanos = rest * 1000


def get_time(timestamp: Pb) -> int:
    """Microseconds since 1970 of a protobuf Timestamp."""
    microseconds: int = timestamp.seconds * 1_000_000 + timestamp.nanos // 1000
    return microseconds
