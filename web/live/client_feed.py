"""One watcher: what a client still has to get, in the order replay, then live, at its own pace.

It reads the hub's ring by number and Firestore for what the ring no longer holds. A client gets every message from 10 s
before its position on, or a ``resync``; never a silent gap. Used by one thread, except ``close``.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from types import TracebackType
from typing import Self

from infra.errors import StoreError, StoreUnavailableError
from infra.firestore.message_reader import MessageReader, Selection
from infra.logs import Logger
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.live.catch_up import missed_since
from web.live.frame_cache import FrameCache
from web.live.listen_window import EPOCH, before
from web.live.recent_messages import RecentMessage, RecentMessages
from web.live.sse import KEEP_ALIVE, Position, body, head, retry

Predicate = Callable[[Message], bool]

PACE_SECONDS = 0.1  # at most ten writes a second
MAX_WRITE_BYTES = 256 * 1024
RETRY_MILLISECONDS = 1_000
REPLAY_BYTES = 4 * 1024 * 1024
# All clients of a process that was replaced come back at once, and each replay holds all it read for a moment.
REPLAY_SLOTS = threading.BoundedSemaphore(8)
_TURN_SECONDS = 1.0
REPLAY_AGAIN_SECONDS = 2.0
REMEMBER_SECONDS = 60.0
# Another process may know a newer message a moment earlier; a position further ahead than this is nobody's.
FUTURE = timedelta(seconds=60)
RESYNC = body("resync", {})
# After what was missed: from here on a client counts no more what came while it was away.
CAUGHT_UP = body("caughtup", {})
_READ_ENTRIES = 200


class ClientFeed:
    """Frames for one client. Iterate over it, or ``poll`` when there is more to do meanwhile."""

    def __init__(
        self,
        hub: RecentMessages,
        frames: FrameCache,
        messages: MessageReader,
        log: Logger,
        position: Position,
        selection: Selection,
        accepts: Predicate,
        on_close: Callable[["ClientFeed"], None],
    ) -> None:
        self._hub, self._frames, self._messages, self._log = hub, frames, messages, log
        self._position: Position | None = position
        self._selection, self._accepts = selection, accepts
        self._on_close = on_close
        self._number = hub.next_number
        # The largest key when the last entry was taken, whether the filter took it or not.
        self._taken_at: Cursor | None = None
        self._version = 0
        self._states: deque[bytes] = deque([retry(RETRY_MILLISECONDS)])
        self._backlog: deque[bytes] = deque()
        # What a replay from memory has not encoded yet.
        self._held: Iterator[bytes] = iter(())
        # What a replay sent already and the ring will bring once more.
        self._replayed: dict[str, int] = {}
        self._replay_at = 0.0
        self._write_at = 0.0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        while not self.ended:
            if chunk := self.poll(60):
                yield chunk

    @property
    def ended(self) -> bool:
        """Whether it was closed, or the process is going away."""
        return self._closed or self._hub.closed

    def close(self) -> None:
        """Leave; from any thread, any number of times."""
        if not self._closed:
            self._closed = True
            self._hub.wake()
            self._on_close(self)

    def keep_alive(self) -> bytes:
        """A sign of life when ``poll`` gave nothing, with the position: what the filter left out is behind, too."""
        return (head(str(self._taken_at)) if self._taken_at else b"") + KEEP_ALIVE

    def poll(self, seconds: float) -> bytes:
        """The next frames, joined; empty when nothing came for that long, or when it ended."""
        deadline = time.monotonic() + seconds
        while not self.ended:
            self._keep_pace(deadline)
            chunk = self._take()
            left = deadline - time.monotonic()
            if chunk or left <= 0:
                return chunk
            self._hub.wait(self._is_ready, left if self._position is None else min(left, REPLAY_AGAIN_SECONDS))
        return b""

    def _keep_pace(self, deadline: float) -> None:
        now = time.monotonic()
        if now < self._write_at:
            time.sleep(max(0.0, min(self._write_at, deadline) - now))

    def _is_ready(self) -> bool:
        if self._closed:
            return True
        # While a replay waits for Firestore, live messages wait behind it.
        number = self._number if self._position is None else 2**63
        return self._hub.is_news(number, self._version)

    def _take(self) -> bytes:
        if time.monotonic() < self._write_at:
            return b""
        self._write_at = time.monotonic() + PACE_SECONDS
        changed, self._version = self._hub.states(self._version)
        self._states.extend(changed)
        if self._position:
            self._replay(self._position)
        if self._position is None:
            self._read_on()
        return b"".join(self._some())

    def _some(self) -> Iterator[bytes]:
        while self._states:
            yield self._states.popleft()
        size = 0
        while self._backlog and size < MAX_WRITE_BYTES:
            frame = self._backlog.popleft()
            size += len(frame)
            yield frame

    def _read_on(self) -> None:
        if self._replayed and time.monotonic() > self._replay_at + REMEMBER_SECONDS:
            self._replayed.clear()
        # So much and no more is encoded ahead: hundreds of clients that read slowly must not pile up frames.
        size = sum(map(len, self._backlog))
        coming = chain(self._held, self._from_ring())
        while size < MAX_WRITE_BYTES and (frame := next(coming, None)):
            self._backlog.append(frame)
            size += len(frame)

    def _from_ring(self) -> Iterator[bytes]:
        while True:
            found = self._hub.read(self._number, _READ_ENTRIES)
            if found.lost:
                self._start_over()
                return
            if not found.entries:
                return
            for entry in found.entries:
                self._number += 1
                self._taken_at = entry.position
                if self._replayed.get(entry.message.id, 0) < entry.message.deliveries:
                    yield from self._of_entry(entry)

    def _of_entry(self, entry: RecentMessage) -> Iterator[bytes]:
        if self._accepts(entry.message):
            yield self._frames.of_recent(entry)
        elif self._has_left(entry.message):
            yield _gone(entry.message)

    def _concerns(self, message: Message) -> bool:
        return self._accepts(message) or self._has_left(message)

    def _has_left(self, message: Message) -> bool:
        """Whether the filter took it until it was delivered again: nothing else of a message ever changes."""
        return message.deliveries > 1 and self._accepts(replace(message, deliveries=1))

    def _start_over(self) -> None:
        self._position = None
        self._number = self._hub.next_number
        self._held = iter(())
        self._replayed.clear()
        self._backlog.clear()
        self._backlog.append(RESYNC)

    def _replay(self, position: Position) -> None:
        if not position.known:
            self._start_over()
        elif self._hub.began and time.monotonic() >= self._replay_at:
            try:
                self._replay_from(position.cursor)
            except StoreUnavailableError as exc:
                self._replay_at = time.monotonic() + REPLAY_AGAIN_SECONDS
                self._log.warning("A replay waits for Firestore.", error=str(exc))
            except StoreError as exc:
                self._log.error("A replay was refused.", error=str(exc))
                self._start_over()

    def _is_future(self, cursor: Cursor) -> bool:
        # Both clocks: this machine's may be behind Firestore's.
        return cursor.at > max(self._hub.newest, datetime.now(UTC)) + FUTURE

    def _replay_from(self, cursor: Cursor | None) -> None:
        if cursor and self._is_future(cursor):
            self._start_over()
            return
        start = Cursor(before(cursor.at) if cursor else EPOCH, "0" * 32)
        held = self._hub.since(start, self._number)
        if held is not None:
            self._replay_entries(held)
            return
        if not REPLAY_SLOTS.acquire(timeout=_TURN_SECONDS):
            return  # the next poll asks again
        try:
            # Whatever this read does not see yet comes through the ring: the watcher took its number before.
            found = missed_since(self._messages, self._selection, self._concerns, start.at)
            if found is None:
                self._start_over()
            else:
                self._replay_messages(found, cursor)
        finally:
            REPLAY_SLOTS.release()

    def _replay_entries(self, entries: list[RecentMessage]) -> None:
        self._position = None
        self._held = chain(chain.from_iterable(map(self._of_entry, entries)), [CAUGHT_UP])

    def _replay_messages(self, found: list[Message], cursor: Cursor | None) -> None:
        self._position = None
        self._replay_at = time.monotonic()
        size = 0
        for message in found:
            if self._accepts(message):
                cursor = max(cursor, message.cursor) if cursor else message.cursor
                self._replayed[message.id] = message.deliveries
                self._backlog.append(self._frames.of_message(message, cursor))
                size += len(self._backlog[-1])
            elif self._has_left(message):
                self._backlog.append(_gone(message))
            if size > REPLAY_BYTES:
                self._start_over()
                return
        self._backlog.append(CAUGHT_UP)


def _gone(message: Message) -> bytes:
    return body("gone", {"id": message.id, "deliveries": message.deliveries})
