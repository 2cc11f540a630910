"""The hub: what the feed takes in, kept for a while, and handed to every watcher at its own pace.

One ring of recent messages serves all: a watcher is only a number in it, so a slow one costs no memory, and one that
the ring has left behind is told so. Knows nothing of Firestore or HTTP.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.live.listen_window import EPOCH

RING_MESSAGES = 2_000
RING_BYTES = 16 * 1024 * 1024
# What a message costs beside what its publisher chose: the object, its preview, its encoded frame.
_OVERHEAD_BYTES = 4_096


class RecentMessage:
    """A message in the ring. ``position`` is the largest key sent when it was: the id of its frame."""

    __slots__ = ("frame", "message", "position", "size_bytes")

    def __init__(self, message: Message, position: Cursor) -> None:
        self.message = message
        self.position = position
        self.frame: bytes | None = None
        self.size_bytes = _size_of(message)


def _size_of(message: Message) -> int:
    """About what it holds in memory: a hundred attributes are more than the longest payload in a head document."""
    texts = (*message.attributes, *message.attributes.values(), *message.tokens, message.ordering_key)
    return _OVERHEAD_BYTES + len(message.data or b"") + sum(len(text.encode(errors="replace")) for text in texts)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a watcher has not read: entries, the number after the last, and whether the ring had left some out."""

    entries: list[RecentMessage]
    next_number: int
    lost: bool


class RecentMessages:
    """The ring, and the latest of each state (the feed's, each subscription's). Every method is thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[RecentMessage] = []
        self._first = 0
        self._bytes = 0
        self._position = Cursor(EPOCH, "0" * 32)
        self._whole_from: Cursor | None = None
        self._states: dict[str, tuple[int, bytes]] = {}
        self._version = 0
        self.closed = False

    def begin(self, newest: Cursor, start: datetime) -> None:
        """Start over: from now on the ring will hold every message received at or after ``start``."""
        with self._changed:
            self._first += len(self._entries)
            self._entries.clear()
            self._bytes = 0
            self._position = max(self._position, newest)
            self._whole_from = Cursor(start, "")
            self._version += 1  # replays wait for this
            self._changed.notify_all()

    def end(self) -> None:
        """Nobody follows Firestore any more: what the ring holds ages."""
        with self._changed:
            self._whole_from = None

    def publish(self, message: Message) -> None:
        """Add a message, or a new state of one."""
        with self._changed:
            self._position = max(self._position, message.cursor)
            entry = RecentMessage(message, self._position)
            self._entries.append(entry)
            self._bytes += entry.size_bytes
            self._evict()
            self._changed.notify_all()

    def show(self, key: str, frame: bytes) -> None:
        """Set the latest frame of a state; the same again is not sent again."""
        with self._changed:
            known = self._states.get(key)
            if known and known[1] == frame:
                return
            self._version += 1
            self._states[key] = (self._version, frame)
            self._changed.notify_all()

    def states(self, after_version: int) -> tuple[list[bytes], int]:
        """FrameCache of the states that changed after a version, and the version now."""
        with self._changed:
            found = sorted(state for state in self._states.values() if state[0] > after_version)
            return [frame for _, frame in found], self._version

    @property
    def began(self) -> bool:
        """Whether the feed has decided where it starts: only then can a position be replayed without a gap."""
        return self._whole_from is not None

    @property
    def newest(self) -> datetime:
        """The time of the newest message known; 1970 before ``begin``."""
        return self._position.at

    @property
    def next_number(self) -> int:
        """The number of the message that comes next."""
        with self._changed:
            return self._first + len(self._entries)

    def since(self, position: Cursor, before_number: int) -> list[RecentMessage] | None:
        """Entries numbered below ``before_number`` that came when the largest key was ``position`` or beyond.

        An older message that was delivered again since then is one of them. None when some may be missing.
        """
        with self._changed:
            if self._whole_from is None or position < self._whole_from:
                return None
            held = self._entries[: max(0, before_number - self._first)]
            return [entry for entry in held if entry.position >= position]

    def read(self, number: int, limit: int) -> ReadResult:
        """Up to ``limit`` entries from ``number`` on."""
        with self._changed:
            lost = number < self._first
            start = max(number, self._first) - self._first
            entries = self._entries[start : start + limit]
            return ReadResult(entries, self._first + start + len(entries), lost)

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Sleep until ``ready`` (called with the hub's lock held), or at most so long."""
        with self._changed:
            self._changed.wait_for(ready, seconds)

    def is_news(self, number: int, version: int) -> bool:
        """Whether there is anything for a watcher that stands there; for ``wait``."""
        return self.closed or self._version > version or self._first + len(self._entries) > number

    def wake(self) -> None:
        """Let every watcher look whether it was closed."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End every watcher, now and later."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _evict(self) -> None:
        gone = 0
        while len(self._entries) - gone > RING_MESSAGES or (self._bytes > RING_BYTES and gone < len(self._entries)):
            entry = self._entries[gone]
            self._bytes -= entry.size_bytes
            gone += 1
            # The ring is whole only after the largest key when it lost one: a position must lie beyond.
            lost = Cursor(entry.position.at, entry.position.id + "~")
            self._whole_from = max(self._whole_from, lost) if self._whole_from else None
        if gone:
            del self._entries[:gone]
            self._first += gone
