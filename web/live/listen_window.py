"""What the feed has seen of ``messages``: where it stands, what is new, and when its target should move on.

Pure: no I/O, no clock (time is the messages' own). Memory is bounded: only messages received since the watched target's
start are remembered, and the target moves.
"""

from datetime import UTC, datetime, timedelta

from infra.messages.cursor import Cursor

# A document may become visible a little later than one received after it: so much is always looked at again.
OVERLAP = timedelta(seconds=10)
MOVE_AT = 500
# A new target sends its whole result once more. Moving only when three quarters fall away keeps that a small part of
# all that is read; moving at every message older than the overlap would read each one hundreds of times.
MOVE_SHARE = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ListenWindow:
    """The watched part of ``messages``: all received at or after ``start``; ``cursor`` is the largest key seen."""

    def __init__(self, newest: Cursor) -> None:
        self.cursor = newest
        self.start = before(newest.at)
        self._seen: dict[str, tuple[int, datetime]] = {}
        self._looked_at = self.start

    def __len__(self) -> int:
        return len(self._seen)

    def is_news(self, document: str, deliveries: int) -> bool:
        """Whether a document in that state has not been taken yet."""
        known = self._seen.get(document)
        return known is None or known[0] < deliveries

    def take(self, cursor: Cursor, deliveries: int) -> None:
        """Remember a message as sent."""
        self._seen[cursor.id] = (deliveries, cursor.at)
        self.cursor = max(self.cursor, cursor)

    def knows(self, document: str) -> bool:
        """Whether any state of a document has been taken."""
        return document in self._seen

    def next_start(self) -> datetime | None:
        """Where a new target should begin, when it is time for one."""
        start = before(self.cursor.at)
        if len(self._seen) <= MOVE_AT or start < self._looked_at:
            return None
        self._looked_at = self.cursor.at
        kept = sum(received_at >= start for _, received_at in self._seen.values())
        return start if kept * MOVE_SHARE <= len(self._seen) else None

    def resume(self) -> datetime:
        """Begin again 10 s before the cursor, on a new stream."""
        self.move(before(self.cursor.at))
        return self.start

    def move(self, start: datetime) -> None:
        """Forget what lies before ``start``: no open target sends it any more."""
        self.start = start
        self._seen = {document: state for document, state in self._seen.items() if state[1] >= start}


def before(moment: datetime) -> datetime:
    """Where to begin so that nothing after ``moment`` is missed, though it became visible late."""
    return max(EPOCH, moment - OVERLAP) if moment > EPOCH else EPOCH
