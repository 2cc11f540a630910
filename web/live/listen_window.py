"""The part of ``messages`` that the listener watches: its position, what is new, when its target should move on.

Pure: no I/O and no clock; all times are the messages'. Memory is bounded: it remembers only messages received since the
target's start, and the target moves.
"""

from datetime import UTC, datetime, timedelta

from infra.messages.cursor import Cursor

# A document can become visible after one that was received later, so these seconds are always read again.
OVERLAP = timedelta(seconds=10)
MOVE_AT = 500
# A new target sends its whole result again. If it moves only when three quarters fall away, that is a small part of all
# reads; if it moved as soon as a message left the overlap, each message would be read hundreds of times.
MOVE_SHARE = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ListenWindow:
    """All messages received at or after ``start``; ``cursor`` is the largest among them."""

    def __init__(self, newest: Cursor) -> None:
        self.cursor = newest
        self.start = start_before(newest.at)
        self._taken: dict[str, tuple[int, datetime]] = {}
        self._counted_at = self.start

    def __len__(self) -> int:
        return len(self._taken)

    def is_news(self, document: str, deliveries: int) -> bool:
        """Return whether this state of a document has not been taken yet."""
        known = self._taken.get(document)
        return known is None or known[0] < deliveries

    def take(self, cursor: Cursor, deliveries: int) -> None:
        """Remember a message as passed on."""
        self._taken[cursor.id] = (deliveries, cursor.at)
        self.cursor = max(self.cursor, cursor)

    def next_start(self) -> datetime | None:
        """Return where a new target should begin, or None while the present one should stay."""
        start = start_before(self.cursor.at)
        if len(self._taken) <= MOVE_AT or start < self._counted_at:
            return None
        self._counted_at = self.cursor.at
        kept = sum(received_at >= start for _, received_at in self._taken.values())
        return start if kept * MOVE_SHARE <= len(self._taken) else None

    def resume(self) -> datetime:
        """Move to 10 s before the cursor, for a new stream; return that start."""
        self.move(start_before(self.cursor.at))
        return self.start

    def move(self, start: datetime) -> None:
        """Forget all messages before ``start``: no open target sends them again."""
        self.start = start
        self._taken = {document: state for document, state in self._taken.items() if state[1] >= start}


def start_before(moment: datetime) -> datetime:
    """Return the start from which nothing after ``moment`` is missed, even if it became visible late."""
    return max(EPOCH, moment - OVERLAP) if moment > EPOCH else EPOCH
