"""Frames of messages: each state encoded once for all watchers, and kept for a while, within bytes.

A frame is as long as a publisher wants it: six attributes of a kilobyte make fifty, columns as much again. So what is
kept is bounded by bytes, not only by number. Knows nothing of Firestore or HTTP.
"""

import threading
from collections.abc import Callable

from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.formats import iso
from web.live.recent_messages import RecentMessage
from web.live.sse import body, head

BODIES = 4_000
BODIES_BYTES = 24 * 1024 * 1024
# The ring counts about that much for a frame; a longer one is put together each time, from what is kept here.
_MAX_RING_FRAME_BYTES = 8 * 1024

Render = Callable[[Message], str]
_Key = tuple[Render, str, int]


class _Bodies:
    """What was encoded last. Its lock is its user's."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.bytes = 0
        self._held: dict[_Key, bytes] = {}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: _Key) -> bytes | None:
        return self._held.get(key)

    def put(self, key: _Key, encoded: bytes) -> None:
        self._held[key] = encoded
        self.bytes += len(encoded)
        while len(self._held) > BODIES or (self.bytes > BODIES_BYTES and len(self._held) > 1):
            self.bytes -= len(self._held.pop(next(iter(self._held))))


class FrameCache:
    """Encodes messages, each state once for all watchers, whether it comes from the ring or from Firestore."""

    def __init__(self, render: Render, log: Logger) -> None:
        self._render = render
        self._log = log
        self._bodies = _Bodies()

    def rendered_by(self, render: Render) -> "FrameCache":
        """The same for watchers who see rows of another kind: once for all to whom ``render`` is the same function."""
        return _OtherFrameCache(self, render)

    def of_recent(self, entry: RecentMessage) -> bytes:
        """The frame of a message in the ring."""
        if entry.frame is not None:
            return entry.frame
        frame = self.of_message(entry.message, entry.position)
        if len(frame) <= _MAX_RING_FRAME_BYTES:
            entry.frame = frame
        return frame

    def of_message(self, message: Message, position: Cursor) -> bytes:
        """The frame of a message, sent when ``position`` was the largest key."""
        key = (self._render, message.id, message.deliveries)
        with self._bodies.lock:
            found = self._bodies.get(key)
            if found is None:
                found = self._body(message)
                self._bodies.put(key, found)
        return head(str(position)) + found

    def _body(self, message: Message) -> bytes:
        return body(
            "message",
            {
                "id": message.id,
                "cursor": str(message.cursor),
                "subscription": message.subscription,
                "deliveries": message.deliveries,
                "received_at": iso(message.received_at),
                "html": self._html(message),
            },
        )

    def _html(self, message: Message) -> str:
        try:
            return self._render(message)
        except Exception as exc:  # noqa: BLE001 - one message that cannot be shown must not end every stream
            self._log.error("A message could not be rendered.", id=message.id, error=repr(exc))
            return ""


class _OtherFrameCache(FrameCache):
    """Shares what bounds the memory of all; the ring holds the frames of the usual rows alone."""

    def __init__(self, frames: FrameCache, render: Render) -> None:
        super().__init__(render, frames._log)
        self._bodies = frames._bodies

    def of_recent(self, entry: RecentMessage) -> bytes:
        return self.of_message(entry.message, entry.position)
