"""Frames of messages: each state of a message is encoded once for all clients, and kept while there is room.

A publisher decides how long a frame is: six attributes of a kilobyte give one of fifty kilobytes, with columns twice
that. So the cache is bounded by bytes as well as by number. No Firestore and no HTTP here.
"""

import threading
from collections.abc import Callable

from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.formats import iso
from web.live.client_filter import ClientFilter
from web.live.recent_messages import RecentMessage
from web.live.sse import body, head

MAX_BODIES = 4_000
MAX_BODIES_BYTES = 24 * 1024 * 1024
_MAKERS = 64
# RecentMessage.size_bytes allows about that much for a frame. A longer frame is joined from the cached body each time.
_MAX_KEPT_FRAME_BYTES = 8 * 1024

Render = Callable[[Message], str]
_Key = tuple[Render, str, int]


class _Bodies:
    """The bodies encoded last, oldest evicted first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # One thread makes a body, and others that want the same one wait; those that want another one do not.
        self._makers = tuple(threading.Lock() for _ in range(_MAKERS))
        self._bytes = 0
        self._held: dict[_Key, bytes] = {}

    def __len__(self) -> int:
        return len(self._held)

    def making(self, key: _Key) -> threading.Lock:
        """Return the lock to hold while the body of ``key`` is made."""
        return self._makers[hash(key) % _MAKERS]

    def get(self, key: _Key) -> bytes | None:
        return self._held.get(key)

    def put(self, key: _Key, encoded: bytes) -> None:
        with self._lock:
            self._held[key] = encoded
            self._bytes += len(encoded)
            while len(self._held) > MAX_BODIES or (self._bytes > MAX_BODIES_BYTES and len(self._held) > 1):
                self._bytes -= len(self._held.pop(next(iter(self._held))))


class FrameCache:
    """Encodes messages, each state once for all clients, whether it comes from memory or from Firestore."""

    def __init__(self, render: Render, log: Logger, bodies: _Bodies | None = None) -> None:
        self._render = render
        self._log = log
        # Bodies that are empty are false.
        self._bodies = _Bodies() if bodies is None else bodies

    def __len__(self) -> int:
        return len(self._bodies)

    def rendered_by(self, render: Render) -> "FrameCache":
        """Return a cache for rows of another kind, within the same bounds. Clients share rows of one ``render``."""
        return _OtherFrameCache(self, render)

    def of_recent(self, recent: RecentMessage) -> bytes:
        """Return the frame of a message in memory."""
        if recent.frame is not None:
            return recent.frame
        frame = self.of_message(recent.message, recent.position)
        if len(frame) <= _MAX_KEPT_FRAME_BYTES:
            recent.frame = frame
        return frame

    def of_message(self, message: Message, position: Cursor) -> bytes:
        """Return the frame of a message, sent when ``position`` was the largest cursor."""
        key = (self._render, message.id, message.deliveries)
        encoded = self._bodies.get(key)
        if encoded is None:
            with self._bodies.making(key):
                encoded = self._bodies.get(key)
                if encoded is None:
                    encoded = self._encode(message)
                    self._bodies.put(key, encoded)
        return head(str(position)) + encoded

    def _encode(self, message: Message) -> bytes:
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
        except Exception as exc:  # noqa: BLE001 - one message that cannot be rendered must not end every stream
            self._log.error("A message could not be rendered.", id=message.id, error=repr(exc))
            return ""


class _OtherFrameCache(FrameCache):
    """Shares the bodies and their bounds. ``RecentMessage.frame`` holds frames of the usual rows only."""

    def __init__(self, frames: FrameCache, render: Render) -> None:
        super().__init__(render, frames._log, frames._bodies)

    def of_recent(self, recent: RecentMessage) -> bytes:
        return self.of_message(recent.message, recent.position)


class ClientFrames:
    """The frames of one client: messages that its filter accepts, and removals of those that it accepts no longer."""

    def __init__(self, cache: FrameCache, client_filter: ClientFilter) -> None:
        self.client_filter = client_filter
        self._cache = cache

    def of_recent(self, recent: RecentMessage) -> bytes:
        """Return the frame of a message in memory, or b"" if it does not concern the client."""
        if self.client_filter.accepts(recent.message):
            return self._cache.of_recent(recent)
        if self.client_filter.has_left(recent.message):
            return self.of_removed(recent.message)
        return b""

    def of_accepted(self, message: Message, position: Cursor) -> bytes:
        """Return the frame of a message that the filter accepts."""
        return self._cache.of_message(message, position)

    def of_removed(self, message: Message) -> bytes:
        """Return the frame that removes a message from the page."""
        return body("gone", {"id": message.id, "deliveries": message.deliveries})
