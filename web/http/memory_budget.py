"""The memory for payloads: all requests share a budget, and a person has half of it.

A request reserves the memory that its payload needs while the request runs. This is not the payload's length. Pages
that are being drawn have a budget apart: a download or an export may last for minutes, and must not keep its person or
others from a page.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from infra.errors import BusyError

# Downloads, exports, forms, and large pages while they are sent: room for eight streamed answers, four of one person.
BUDGET_BYTES = 48 * 1024 * 1024
# Pages while they are drawn, which takes a second at most: one of the largest for each of two persons.
PAGES_BYTES = 32 * 1024 * 1024
# The cost of a payload, or of an export's payloads, sent chunk by chunk: a reply of Firestore, a chunk, and its parts.
STREAMED_BYTES = 6 * 1024 * 1024
# A page that shows the beginning of a payload: coloured JSON takes 110 times its length while it is drawn.
VIEW_FACTOR = 128
VIEW_BYTES = 16 * 1024 * 1024
# A payload as bytes, as text, and in a form or in requests to Pub/Sub.
COPIES = 4
WAIT_SECONDS = 2.0
# Every waiting request holds a thread.
MAX_WAITING = 6
_SENTENCE = "Too many payloads are being read or sent. Try again in a moment."
_OWN_SENTENCE = "You have too many payloads in use. End other downloads, or try again in a moment."


class Reservation:
    """The reserved bytes of one request. Releasing it again does nothing."""

    def __init__(self, budget: "MemoryBudget", person: str, reserved_bytes: int) -> None:
        self._budget, self._person, self._bytes = budget, person, reserved_bytes

    def release(self) -> None:
        """Give the bytes back."""
        self._budget.give_back(self._person, self._bytes)
        self._bytes = 0

    def __del__(self) -> None:
        # Nothing closes the response to a HEAD request.
        self.release()


class MemoryBudget:
    """A budget of one process. Thread-safe."""

    def __init__(self, total_bytes: int = BUDGET_BYTES, wait_seconds: float = WAIT_SECONDS) -> None:
        self.total_bytes = total_bytes
        self.wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._used_by: Counter[str] = Counter()
        self._waiting = 0

    def reserve(self, person: str, wanted_bytes: int) -> Reservation:
        """Reserve bytes for a person, and wait a moment for them. Raises BusyError.

        A request for more than a person's part reserves exactly that part. So a person who reads nothing else can read
        any payload.
        """
        part = self.total_bytes // 2
        wanted_bytes = min(wanted_bytes, part)
        with self._changed:
            wait_seconds = self.wait_seconds if self._waiting < MAX_WAITING else 0
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._fits(person, wanted_bytes), wait_seconds):
                    is_own = self._used_by[person] + wanted_bytes > part
                    raise BusyError(_OWN_SENTENCE if is_own else _SENTENCE)
            finally:
                self._waiting -= 1
            self._used_by[person] += wanted_bytes
        return Reservation(self, person, wanted_bytes)

    def try_to_reserve(self, person: str, wanted_bytes: int) -> Reservation | None:
        """Reserve bytes without a wait; None when they are not free."""
        with self._changed:
            if not self._fits(person, wanted_bytes):
                return None
            self._used_by[person] += wanted_bytes
        return Reservation(self, person, wanted_bytes)

    @contextlib.contextmanager
    def held(self, person: str, wanted_bytes: int) -> Iterator[None]:
        """Hold bytes for the time of a block. Raises BusyError."""
        reservation = self.reserve(person, wanted_bytes)
        try:
            yield
        finally:
            reservation.release()

    def give_back(self, person: str, reserved_bytes: int) -> None:
        """Free the bytes of a reservation."""
        with self._changed:
            self._used_by[person] -= reserved_bytes
            if not self._used_by[person]:
                del self._used_by[person]
            self._changed.notify_all()

    def _fits(self, person: str, wanted_bytes: int) -> bool:
        if self._used_by.total() + wanted_bytes > self.total_bytes:
            return False
        return self._used_by[person] + wanted_bytes <= self.total_bytes // 2
