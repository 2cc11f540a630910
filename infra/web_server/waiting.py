"""The connections that hold no thread: the event that each awaits, its deadline, and the bytes that it holds."""

from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Wait(Enum):
    """The event that a connection awaits."""

    REQUEST = "the first byte of a request"
    REST_OF_REQUEST = "the rest of a request"
    THREAD = "a thread"
    READER = "a client that reads its answer"
    CLOSE = "a client that closes"


SECONDS = {
    Wait.REQUEST: 75.0,  # longer than the idle timeout of load balancers
    Wait.REST_OF_REQUEST: 10.0,
    Wait.THREAD: 10.0,
    Wait.READER: 30.0,
    Wait.CLOSE: 2.0,
}

# The memory of all half requests, of all requests that wait for a thread, and of all answers that wait for a reader.
MAX_BYTES = {
    Wait.REST_OF_REQUEST: 16 * 1024 * 1024,
    Wait.THREAD: 16 * 1024 * 1024,
    Wait.READER: 32 * 1024 * 1024,
}

# When there are too many connections, the first of these waits that has any loses its oldest.
_LEAST_NEEDED = (Wait.CLOSE, Wait.REQUEST, Wait.REST_OF_REQUEST, Wait.READER)


class Waiting(Generic[T]):
    """The waiting connections of a worker; each waits for one thing."""

    def __init__(self) -> None:
        # A wait always lasts equally long, so each of these is in the order of its deadlines.
        self._until: dict[Wait, dict[T, float]] = {wait: {} for wait in Wait}
        self._wait_of: dict[T, Wait] = {}
        self._bytes_of: dict[T, int] = {}
        self._bytes = dict.fromkeys(Wait, 0)

    def __len__(self) -> int:
        return len(self._wait_of)

    def add(self, connection: T, wait: Wait, now: float) -> None:
        """Let a connection that waits for nothing wait until ``now`` and the longest time."""
        self._wait_of[connection] = wait
        self._until[wait][connection] = now + SECONDS[wait]

    def remove(self, connection: T) -> Wait | None:
        """Remove a connection; return what it waited for, None if it did not wait."""
        wait = self._wait_of.pop(connection, None)
        if wait:
            del self._until[wait][connection]
            self._bytes[wait] -= self._bytes_of.pop(connection, 0)
        return wait

    def add_bytes(self, connection: T, number: int) -> None:
        """Count bytes that a waiting connection holds."""
        self._bytes[self._wait_of[connection]] += number
        self._bytes_of[connection] = self._bytes_of.get(connection, 0) + number

    def excess(self, wait: Wait) -> T | None:
        """Return the connection to close when those of a wait hold too many bytes: the oldest."""
        return self.oldest(wait) if self._bytes[wait] > MAX_BYTES[wait] else None

    def wait_of(self, connection: T) -> Wait | None:
        """Return what a connection waits for."""
        return self._wait_of.get(connection)

    def expired(self, now: float) -> list[T]:
        """Return the connections that have waited too long."""
        found: list[T] = []
        for deadlines in self._until.values():
            for connection, until in deadlines.items():
                if until > now:
                    break
                found.append(connection)
        return found

    def oldest(self, wait: Wait) -> T | None:
        """Return the connection that waits longest for this."""
        return next(iter(self._until[wait]), None)

    def least_needed(self) -> T | None:
        """Return the connection to close when there are too many; None if all others are in use."""
        return next((found for wait in _LEAST_NEEDED if (found := self.oldest(wait)) is not None), None)

    def all(self) -> list[T]:
        """Return every waiting connection."""
        return list(self._wait_of)

    def end_by(self, wait: Wait, until: float) -> None:
        """Shorten the deadline of each connection in this wait to ``until`` at the latest."""
        deadlines = self._until[wait]
        for connection in deadlines:
            deadlines[connection] = min(deadlines[connection], until)
