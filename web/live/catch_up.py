"""Send a client the messages that it missed: from memory if it holds all of them, otherwise from Firestore.

A catch-up is complete or does not happen: a client that missed too much gets a ``resync`` and loads its page again.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

from infra.firestore.message_reader import MessageReader
from infra.firestore.pace import FULL_SPEED, Pace
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from web.access.places import Places
from web.live.client_filter import ClientFilter
from web.live.frame_cache import ClientFrames
from web.live.held_frames import FrameMemory
from web.live.listen_window import EPOCH, start_before
from web.live.recent_messages import RecentMessage, RecentMessages
from web.live.sse import body

MAX_MISSED = 500
# Without an index token that narrows the filter, this number of messages is read at most: as in one search of the list.
MAX_EXAMINED = 2_000
MAX_BYTES = 4 * 1024 * 1024
# After a deployment all clients reconnect at once, and each read holds its whole result in memory for a moment.
MAX_CONCURRENT_READS = 8
_SLOT_SECONDS = 1.0
MAX_SECONDS = 5.0
# Another process may have sent a message that this one has not seen. A position further in the future is invalid.
MAX_FUTURE = timedelta(seconds=60)
# From here on, the page no longer counts messages as missed while it was away.
CAUGHT_UP = body("caughtup", {})


@dataclass(frozen=True, slots=True)
class Replay:
    """The frames that a client missed, up to ``caughtup``.

    ``deliveries`` are those already in ``frames``, by message id, of messages that recent_messages brings again.
    """

    frames: Iterator[bytes]
    deliveries: dict[str, int] = field(default_factory=dict)


class CatchUp:
    """The replays of one process. Thread-safe."""

    def __init__(self, recent: RecentMessages, messages: MessageReader, max_reads: int = MAX_CONCURRENT_READS) -> None:
        self._recent, self._messages = recent, messages
        self._slots = Places("catch-ups", of_all=max_reads, wait_seconds=_SLOT_SECONDS)
        self._memory = FrameMemory()

    def replay(
        self,
        cursor: Cursor | None,
        before_number: int,
        frames: ClientFrames,
        person: str = "",
        pace: Pace = FULL_SPEED,
    ) -> Replay | None:
        """Return the frames of all messages from 10 s before ``cursor`` on (of all messages if None).

        Entries of recent_messages from ``before_number`` on are left to the caller. None means that the client missed
        too much for five seconds at its ``pace``, or that its position is invalid. Raises BusyError if no slot becomes
        free for ``person`` within a second, StoreError.
        """
        if cursor and self._is_future(cursor):
            return None
        start = Cursor(start_before(cursor.at) if cursor else EPOCH, "0" * 32)
        held = self._recent.since(start, before_number)
        if held is not None:
            return Replay(_lazily(held, frames))
        with self._slots.held(person):
            # A message that this read does not see yet arrives through recent_messages, from ``before_number`` on.
            deadline = time.monotonic() + MAX_SECONDS
            missed = missed_since(self._messages, frames.client_filter, start.at, pace, deadline)
            return None if missed is None else _encoded(missed, cursor, frames, self._memory, pace, deadline)

    def _is_future(self, cursor: Cursor) -> bool:
        """Tell whether a position was never given out. The clock that counts is Firestore's: this one may be behind."""
        latest = cursor.at - MAX_FUTURE
        if latest <= max(self._recent.newest, datetime.now(UTC)):
            return False
        return latest > self._messages.read_page(limit=1).read_at


def missed_since(
    messages: MessageReader, client_filter: ClientFilter, start: datetime, pace: Pace, deadline: float
) -> list[Message] | None:
    """Return all messages received at ``start`` (aware) or later that concern a client, oldest first.

    None if there are more than ``MAX_MISSED``, if more than ``MAX_EXAMINED`` would have to be read, or if ``pace`` ends
    before. Raises StoreError.
    """
    missed: list[Message] = []
    examined = 0
    end: Cursor | None = None
    while examined < MAX_EXAMINED and pace.goes_on(deadline):
        page = messages.page(client_filter.selection, before=end, since=start, limit=MAX_MISSED + 1)
        for message in page:
            if not pace.goes_on(deadline):
                return None
            if client_filter.concerns(message):
                missed.append(message)
            if len(missed) > MAX_MISSED:
                return None
        if len(page) <= MAX_MISSED:
            return missed[::-1]
        examined += len(page)
        end = page[-1].cursor
    return None


def _lazily(held: Iterable[RecentMessage], frames: ClientFrames) -> Iterator[bytes]:
    """Yield a frame for each message, empty for one that does not concern the client."""
    return chain(map(frames.of_recent, held), [CAUGHT_UP])


def _encoded(
    missed: list[Message],
    cursor: Cursor | None,
    frames: ClientFrames,
    memory: FrameMemory,
    pace: Pace,
    deadline: float,
) -> Replay | None:
    """Encode all; None if ``pace`` ends, or if that is more than ``MAX_BYTES`` or than is free.

    Part of a catch-up is never sent.
    """
    encoded: deque[bytes] = deque()
    deliveries: dict[str, int] = {}
    size = 0
    for message in missed:
        if frames.client_filter.accepts(message):
            cursor = max(cursor, message.cursor) if cursor else message.cursor
            deliveries[message.id] = message.deliveries
            encoded.append(frames.of_accepted(message, cursor))
        else:
            encoded.append(frames.of_removed(message))
        size += len(encoded[-1])
        if size > MAX_BYTES or not pace.goes_on(deadline):
            return None
    held = memory.hold(encoded)
    return None if held is None else Replay(chain(held, [CAUGHT_UP]), deliveries)
