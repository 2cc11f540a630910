"""Searches stored messages: newest first, page by page, within bounds; the result says how far back it looked.

Firestore selects by its indexes (tokens, subscription, times); the query filters the rest in memory. Each message
examined is billed as one read, at most 2,000 in a call. A search for a message id reads only that message's documents.
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
    """Limits of one search: it stops at the first that is reached, complete or not."""

    messages: int = 2_000
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Matching messages, newest first. ``older`` is where to continue; None if there are no older messages.

    ``newest`` is the first message examined, ``looked_at`` the number of messages examined.
    """

    messages: list[Message]
    newest: Cursor | None
    older: Cursor | None
    looked_at: int


BOUNDS = SearchBounds()


def narrowed(selection: Selection, query: Query) -> Selection:
    """Return the selection that Firestore reads for a query: it contains all matches, and possibly more."""
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
    """Return up to ``limit`` matching messages older than ``before`` (None: the newest). Raises StoreError."""
    deadline = time.monotonic() + bounds.seconds
    if query.id and (result := _search_by_id(messages, selection, query, before, limit)):
        return result
    selection, position = narrowed(selection, query), _start(before, query.before)
    matches: list[Message] = []
    newest, looked_at = None, 0
    for size in _sizes(limit + 1, bounds.messages):
        page = messages.page(selection, before=position, since=query.after, limit=size)
        newest = newest or (page[0].cursor if page else None)
        looked_at += len(page)
        matches.extend(message for message in page if query.matches(message))
        if len(matches) > limit:
            return SearchResult(matches[:limit], newest, matches[limit - 1].cursor, looked_at)
        if len(page) < size:
            return SearchResult(matches, newest, None, looked_at)
        position = page[-1].cursor
        if time.monotonic() >= deadline:
            break
    return SearchResult(matches, newest, position, looked_at)


def _search_by_id(
    messages: MessageReader, selection: Selection, query: Query, before: Cursor | None, limit: int
) -> SearchResult | None:
    """Read the documents of a message id; None if only a search can tell (of a subscription no longer monitored)."""
    selected = selection.subscription or query.subscription
    subscriptions = (selected,) if selected else messages.subscriptions
    documents = [query.id, *(document_id(subscription, query.id) for subscription in subscriptions)]
    matches = [
        message
        for message in messages.get_many(documents)
        if query.matches(message)
        and selection.subscription in ("", message.subscription)
        and (before is None or message.cursor < before)
    ]
    if not matches and not selected:
        return None
    matches.sort(key=lambda message: message.cursor, reverse=True)
    older = matches[limit - 1].cursor if len(matches) > limit else None
    # No ``newest``: nothing else was examined, so a live stream must start now and not at the age of a match.
    return SearchResult(matches[:limit], None, older, len(documents))


def _start(before: Cursor | None, moment: datetime | None) -> Cursor | None:
    """Return the older of both; the position at a moment is before its lowest id."""
    if moment is None:
        return before
    start = Cursor(moment, "0" * 32)
    return min(before, start) if before else start


def _sizes(first: int, max_messages: int) -> Iterator[int]:
    """Yield page sizes that sum up to ``max_messages``: the first suffices if all messages match."""
    size = first
    while max_messages > 0:
        yield min(size, max_messages)
        max_messages -= size
        size = _PAGE
