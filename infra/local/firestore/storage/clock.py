"""The store's clock: microseconds since 1970; each commit gets a later time than all before."""

import time

from infra.local.firestore.protos import Pb


class Clock:
    """The wall time, moved forward where the wall clock is too coarse or steps back.

    Set ``ahead_microseconds`` before the first use to try services with another clock than Firestore's.
    """

    def __init__(self) -> None:
        self.ahead_microseconds = 0
        self._last = 0

    def tick(self) -> int:
        """Return a time later than all returned before: the time of a commit."""
        self._last = max(self._now(), self._last + 1)
        return self._last

    def read(self) -> int:
        """Return the time of a read; every later commit gets a later time."""
        self._last = max(self._now(), self._last)
        return self._last

    def _now(self) -> int:
        return time.time_ns() // 1000 + self.ahead_microseconds


def put_time(timestamp: Pb, microseconds: int) -> None:
    """Write ``microseconds`` into a protobuf Timestamp."""
    seconds, rest = divmod(microseconds, 1_000_000)
    timestamp.seconds = seconds
    timestamp.nanos = rest * 1000


def get_time(timestamp: Pb) -> int:
    """Return a protobuf Timestamp in microseconds since 1970."""
    microseconds: int = timestamp.seconds * 1_000_000 + timestamp.nanos // 1000
    return microseconds
