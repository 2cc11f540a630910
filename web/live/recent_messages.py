"""Recent messages: the last messages and the latest states, in memory, for every client to read at its own pace.

All clients share one list. A client is only a number in it, so a slow client costs no memory; when its next message has
been evicted, it learns that there is a gap. No Firestore and no HTTP here.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.live.listen_window import EPOCH

MAX_MESSAGES = 2_000
MAX_BYTES = 16 * 1024 * 1024
# A message's cost beside its publisher's texts: the object, its preview, its encoded frame.
_OVERHEAD_BYTES = 4_096


class RecentMessage:
    """A message in memory. ``position`` is the largest cursor when it arrived, and the id of its ``frame``."""

    __slots__ = ("frame", "message", "position", "size_bytes")

    def __init__(self, message: Message, position: Cursor) -> None:
        self.message = message
        self.position = position
        self.frame: bytes | None = None
        self.size_bytes = _size_of(message)


def _size_of(message: Message) -> int:
    """Return roughly the bytes that it holds. Attributes count: a hundred can exceed the longest inline payload."""
    texts = (*message.attributes, *message.attributes.values(), *message.tokens, message.ordering_key)
    return _OVERHEAD_BYTES + len(message.data or b"") + sum(len(text.encode(errors="replace")) for text in texts)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The next messages for a client, the number after the last, and whether some before them had been evicted."""

    messages: list[RecentMessage]
    next_number: int
    has_gap: bool


class RecentMessages:
    """The last messages, and the latest of each state (the feed's, each subscription's). Every method is thread-safe.

    A message has a number, from 0 upwards, in the order of arrival.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: list[RecentMessage] = []
        self._first = 0
        self._bytes = 0
        self._position = Cursor(EPOCH, "0" * 32)
        # Every message from this cursor on is in memory; None while nothing listens.
        self._complete_from: Cursor | None = None
        self._states: dict[str, tuple[int, bytes]] = {}
        self._version = 0
        self.closed = False

    def begin(self, newest: Cursor, start: datetime) -> None:
        """Empty the list. From now on it will hold every message received at or after ``start``."""
        with self._changed:
            self._first += len(self._messages)
            self._messages.clear()
            self._bytes = 0
            self._position = max(self._position, newest)
            self._complete_from = Cursor(start, "")
            self._version += 1  # wakes the clients that wait to catch up
            self._changed.notify_all()

    def end(self) -> None:
        """Stop replays from memory: nothing listens to Firestore, so the list grows old."""
        with self._changed:
            self._complete_from = None

    def publish(self, message: Message) -> None:
        """Add a message, or a new state of one."""
        with self._changed:
            self._position = max(self._position, message.cursor)
            recent = RecentMessage(message, self._position)
            self._messages.append(recent)
            self._bytes += recent.size_bytes
            self._evict()
            self._changed.notify_all()

    def set_state(self, key: str, frame: bytes) -> None:
        """Set the latest frame of a state; an equal frame is not sent again."""
        with self._changed:
            known = self._states.get(key)
            if known and known[1] == frame:
                return
            self._version += 1
            self._states[key] = (self._version, frame)
            self._changed.notify_all()

    def states(self, after_version: int) -> tuple[list[bytes], int]:
        """Return the frames of the states that changed after a version, and the current version."""
        with self._changed:
            changed = sorted(state for state in self._states.values() if state[0] > after_version)
            return [frame for _, frame in changed], self._version

    @property
    def has_begun(self) -> bool:
        """Whether the listener has chosen its start: only then can a position be replayed without a gap."""
        return self._complete_from is not None

    @property
    def newest(self) -> datetime:
        """The time of the newest known message; 1970 before ``begin``."""
        return self._position.at

    @property
    def next_number(self) -> int:
        """The number that the next message will get."""
        with self._changed:
            return self._first + len(self._messages)

    def since(self, position: Cursor, before_number: int) -> list[RecentMessage] | None:
        """Return the messages below ``before_number`` that arrived when the largest cursor was ``position`` or later.

        They include older messages that were delivered again since then. None if some may be missing.
        """
        with self._changed:
            if self._complete_from is None or position < self._complete_from:
                return None
            held = self._messages[: max(0, before_number - self._first)]
            return [recent for recent in held if recent.position >= position]

    def read(self, number: int, limit: int) -> ReadResult:
        """Return up to ``limit`` messages from ``number`` on."""
        with self._changed:
            start = max(number, self._first) - self._first
            messages = self._messages[start : start + limit]
            return ReadResult(messages, self._first + start + len(messages), number < self._first)

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready`` (called with the lock held) returns true, at most ``seconds``."""
        with self._changed:
            self._changed.wait_for(ready, seconds)

    def is_news(self, number: int, version: int) -> bool:
        """Return whether a client with this next number and version has something to read. Call it from ``wait``."""
        return self.closed or self._version > version or self._first + len(self._messages) > number

    def wake(self) -> None:
        """Let every waiting client check whether it was closed."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End every client, now and later."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _evict(self) -> None:
        count = 0
        while len(self._messages) - count > MAX_MESSAGES or (self._bytes > MAX_BYTES and count < len(self._messages)):
            evicted = self._messages[count]
            self._bytes -= evicted.size_bytes
            count += 1
            # After an eviction, only positions after the evicted message's can be replayed from memory.
            after = Cursor(evicted.position.at, evicted.position.id + "~")
            self._complete_from = max(self._complete_from, after) if self._complete_from else None
        if count:
            del self._messages[:count]
            self._first += count
