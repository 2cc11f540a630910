"""The pace of a long read: the reader asks between two steps whether it may go on. No I/O."""

import time
from typing import Protocol


class Pace(Protocol):
    """Slows down or ends a long read."""

    def goes_on(self, deadline: float) -> bool:
        """Return whether to take the next step, perhaps after a wait; False after ``deadline`` (monotonic)."""


class FullSpeed:
    """The pace of a process with one user. Only the deadline of the read itself counts."""

    def goes_on(self, deadline: float) -> bool:
        """Go on at once; False after ``deadline`` (monotonic)."""
        return time.monotonic() < deadline


FULL_SPEED = FullSpeed()
