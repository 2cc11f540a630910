"""What a client missed, read from Firestore when the ring does not hold it any more. Bounded, whole or nothing."""

from collections.abc import Callable
from datetime import datetime

from infra.firestore.message_reader import MessageReader, Selection
from infra.messages.cursor import Cursor
from infra.messages.message import Message

MAX_MISSED = 500
# A filter that no index answers is looked for, as far as one search of the list looks.
MAX_EXAMINED = 2_000


def missed_since(
    messages: MessageReader, selection: Selection, concerns: Callable[[Message], bool], start: datetime
) -> list[Message] | None:
    """All messages received at ``start`` (aware) or later that concern a client, oldest first.

    None when they are more than ``MAX_MISSED``, or more than ``MAX_EXAMINED`` would have to be looked at. Raises
    StoreError.
    """
    found: list[Message] = []
    looked_at = 0
    end: Cursor | None = None
    while looked_at < MAX_EXAMINED:
        page = messages.page(selection, before=end, since=start, limit=MAX_MISSED + 1)
        found += filter(concerns, page)
        if len(found) > MAX_MISSED:
            return None
        if len(page) <= MAX_MISSED:
            return found[::-1]
        looked_at += len(page)
        end = page[-1].cursor
    return None
