"""Search stored messages: newest first, page by page, within bounds, and honest about how far back it looked.

Firestore narrows what it has an index for (tokens, the subscription, the times); the query decides on the rest. Each
message looked at is billed as one read: at most 2,000 for one call. A message id names its documents, which are read
without looking at any other.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from infra.firestore.message_reader import MessageReader, Selection
from infra.messages.cursor import Cursor
from infra.messages.message import Message, document_id
from infra.query import Query

_PAGE = 300


@dataclass(frozen=True, slots=True)
class SearchBounds:
    """When a search stops looking, whatever it found."""

    messages: int = 2_000
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found, newest first. ``older`` is where to go on; None when nothing older is left to look at.

    ``newest`` is the first message looked at; ``looked_at`` is how many were.
    """

    messages: list[Message]
    newest: Cursor | None
    older: Cursor | None
    looked_at: int


BOUNDS = SearchBounds()


def narrowed(selection: Selection, query: Query) -> Selection:
    """The selection that Firestore reads for a query: never less than what matches."""
    return Selection(selection.subscription or query.subscription, query.tokens)


def search(
    messages: MessageReader,
    selection: Selection,
    query: Query,
    *,
    before: Cursor | None = None,
    limit: int = 50,
    bounds: SearchBounds = BOUNDS,
) -> SearchResult:
    """Up to ``limit`` messages older than ``before`` (the newest when None) that match. Raises StoreError."""
    deadline = time.monotonic() + bounds.seconds
    if query.id and (named := _named(messages, selection, query, before, limit)):
        return named
    selection, position = narrowed(selection, query), _start(before, query.before)
    found: list[Message] = []
    newest, looked_at = None, 0
    for size in _sizes(limit + 1, bounds.messages):
        page = messages.page(selection, before=position, since=query.after, limit=size)
        newest = newest or (page[0].cursor if page else None)
        looked_at += len(page)
        found.extend(message for message in page if query.matches(message))
        if len(found) > limit:
            return SearchResult(found[:limit], newest, found[limit - 1].cursor, looked_at)
        if len(page) < size:
            return SearchResult(found, newest, None, looked_at)
        position = page[-1].cursor
        if time.monotonic() >= deadline:
            break
    return SearchResult(found, newest, position, looked_at)


def _named(
    messages: MessageReader, selection: Selection, query: Query, before: Cursor | None, limit: int
) -> SearchResult | None:
    """What an id finds by itself; None when only a search can tell: a subscription may not be monitored any more."""
    one = selection.subscription or query.subscription
    subscriptions = (one,) if one else messages.subscriptions
    documents = [query.id, *(document_id(subscription, query.id) for subscription in subscriptions)]
    found = [
        message
        for message in messages.get_many(documents)
        if query.matches(message)
        and selection.subscription in ("", message.subscription)
        and (before is None or message.cursor < before)
    ]
    if not found and not one:
        return None
    found.sort(key=lambda message: message.cursor, reverse=True)
    # It looked at nothing beside them: a stream begins now, not at the age of what was found.
    return SearchResult(found[:limit], None, found[limit - 1].cursor if len(found) > limit else None, len(documents))


def _start(before: Cursor | None, moment: datetime | None) -> Cursor | None:
    """The older one; at a moment itself nothing is older than the lowest id."""
    if moment is None:
        return before
    start = Cursor(moment, "0" * 32)
    return min(before, start) if before else start


def _sizes(first: int, most: int) -> Iterator[int]:
    """Sizes of pages that come to ``most``: the first is enough when everything matches."""
    size = first
    while most > 0:
        yield min(size, most)
        most -= size
        size = _PAGE
