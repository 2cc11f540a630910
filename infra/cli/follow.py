"""Follows messages as they are stored, by polling: each one once, in the order in which they become readable.

A message can become readable a little later than a newer one. So each poll reads from the position of the poll before
the last one, and every tenth poll from a position at least ten seconds back. While nothing arrives, these positions are
the same, and a poll reads nothing.
"""

from collections import OrderedDict, deque
from datetime import UTC, datetime, timedelta

from infra.firestore.message_reader import MessageReader, Selection
from infra.messages.cursor import Cursor
from infra.messages.message import Message

MAX_READ = 20_000  # in one poll
_PAGE = 2_000
_SWEEP_EVERY = 10  # polls, of which there is one in a second
_LATE = timedelta(seconds=_SWEEP_EVERY)
_MAX_REMEMBERED = 2 * MAX_READ
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_ID = "0" * 32


class Follower:
    """The messages of a selection that are stored after its construction. Remembers what it has returned."""

    def __init__(self, messages: MessageReader, selection: Selection) -> None:
        """Read the newest position. Raises StoreError."""
        self._messages, self._selection = messages, selection
        # Firestore's clock, not this machine's.
        newest = next((message.cursor for message in messages.page(selection, limit=1)), Cursor(_EPOCH, _FIRST_ID))
        before = Cursor(max(_EPOCH + _LATE, newest.at) - _LATE, _FIRST_ID)
        self._positions = deque([before, newest], maxlen=2 * _SWEEP_EVERY)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._polls = 0
        self.has_missed = False
        self.remember([message for message in self._pages(before)[0] if message.cursor <= newest])

    def remember(self, messages: list[Message]) -> None:
        """Never return these."""
        self._seen.update((message.id, None) for message in messages)

    def poll(self) -> list[Message]:
        """Return the messages that have become readable since the last poll, oldest first. Raises StoreError.

        ``has_missed`` tells afterwards whether there were more than can be read at once.
        """
        self._polls += 1
        is_sweep = self._polls % _SWEEP_EVERY == 0
        found, is_complete = self._pages(self._positions[0]) if is_sweep else self._newer(self._positions[-2])
        # A sweep that is cut short has still read what is new.
        self.has_missed = not is_complete and not is_sweep
        new = [message for message in found if message.id not in self._seen]
        self.remember(found)
        while len(self._seen) > _MAX_REMEMBERED:
            self._seen.popitem(last=False)
        self._positions.append(max([self._positions[-1], *(message.cursor for message in found)]))
        return new

    def _newer(self, after: Cursor) -> tuple[list[Message], bool]:
        """Return the messages after a position, oldest first, and whether they are all."""
        newer = self._messages.since(after, self._selection, limit=_PAGE)
        return self._pages(after) if newer is None else (newer, True)

    def _pages(self, after: Cursor) -> tuple[list[Message], bool]:
        """Return the same for any number up to ``MAX_READ``; reads again what was received at the position's time."""
        found: list[Message] = []
        before = None
        while len(found) < MAX_READ:
            page = self._messages.page(self._selection, before=before, since=after.at, limit=_PAGE)
            found += [message for message in page if message.cursor > after]
            if len(page) < _PAGE:
                return found[::-1], True
            before = page[-1].cursor
        return found[::-1], False
