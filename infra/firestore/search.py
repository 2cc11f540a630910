"""Searches stored messages: newest first, page by page, within bounds; the result says how far back it looked.

Firestore selects by its indexes (tokens, subscription, times); the query filters the rest in memory. Each message
read is billed, at most 2,000 in a call. A search for a message id reads only that message's documents.

The pace, which ends at the deadline, is asked before each message is masked and compared, and a page is only as large
as the time left allows, so a search ends in time for every filter and every payload.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from infra.firestore.message_reader import MessageReader, Selection
from infra.firestore.pace import FULL_SPEED, Pace
from infra.messages.cursor import Cursor
from infra.messages.message import Message, document_id
from infra.query import Query

_PAGE = 300
# The first page is read before the speed is known.
_FIRST_PAGE = 60
# Examined in any case, so that the next search does not begin where this one began. A mask takes up to 15 ms for each,
# expressions up to 80 ms, so one message is enough when this time after the deadline is over.
_AT_LEAST = 10
_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SearchBounds:
    """Limits of one search: it stops at the first that is reached, complete or not."""

    messages: int = 2_000
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Matching messages, newest first. ``older`` is where to continue; None if there are no older messages.

    ``newest`` is the first message examined, ``looked_at`` the number of messages examined. ``read_at`` is the time of
    the first read by Firestore's clock; None when nothing was read. ``seconds`` is how long the search took.
    """

    messages: list[Message]
    newest: Cursor | None
    older: Cursor | None
    looked_at: int
    read_at: datetime | None = None
    seconds: float = 0.0


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
    pace: Pace = FULL_SPEED,
) -> SearchResult:
    """Return up to ``limit`` matching messages older than ``before`` (None: the newest). Raises StoreError."""
    began = time.monotonic()
    found = _search(messages, selection, query, before, limit, bounds, pace, began)
    return replace(found, seconds=time.monotonic() - began)


def _search(
    messages: MessageReader,
    selection: Selection,
    query: Query,
    before: Cursor | None,
    limit: int,
    bounds: SearchBounds,
    pace: Pace,
    began: float,
) -> SearchResult:
    deadline = began + bounds.seconds
    first_page = _FIRST_PAGE if pace.goes_on(deadline) else _AT_LEAST
    if query.id and (result := _search_by_id(messages, selection, query, before, limit)):
        return result
    selection, position = narrowed(selection, query), _start(before, query.before)
    matches: list[Message] = []
    newest, read_at, looked_at, size = None, None, 0, min(limit + 1, first_page, bounds.messages)
    while size:
        page = messages.lazy_page(selection, before=position, since=query.after, limit=size)
        read_at = read_at or page.read_at
        for _ in range(page.count):
            has_least = looked_at >= _AT_LEAST or (looked_at and time.monotonic() > deadline + _GRACE_SECONDS)
            if has_least and not pace.goes_on(deadline):
                return _result(matches, limit, newest, position, looked_at, read_at)
            message = next(page.messages)
            looked_at += 1
            position = message.cursor
            newest = newest or position
            if query.matches(message):
                matches.append(message)
        if len(matches) > limit or page.count < size:
            return _result(matches, limit, newest, None, looked_at, read_at)
        if not pace.goes_on(deadline):
            break
        # While all messages match, more than the rest of this result would be read, and billed, in vain.
        wanted = limit + 1 - looked_at if len(matches) == looked_at else _PAGE
        size = min(wanted, _fitting(began, deadline, looked_at), bounds.messages - looked_at)
    return SearchResult(matches, newest, position, looked_at, read_at)


def _result(
    matches: list[Message],
    limit: int,
    newest: Cursor | None,
    position: Cursor | None,
    looked_at: int,
    read_at: datetime | None,
) -> SearchResult:
    """Return the matches, at most ``limit``; the next page begins after the last of them or at ``position``."""
    older = matches[limit - 1].cursor if len(matches) > limit else position
    return SearchResult(matches[:limit], newest, older, looked_at, read_at)


def _fitting(began: float, deadline: float, looked_at: int) -> int:
    """Return how many messages fit into the time left, at the speed so far; 0 when it is over."""
    now = time.monotonic()
    if now >= deadline:
        return 0
    seconds_each = (now - began) / looked_at
    return max(_AT_LEAST, min(_PAGE, int((deadline - now) / seconds_each))) if seconds_each else _PAGE


def _search_by_id(
    messages: MessageReader, selection: Selection, query: Query, before: Cursor | None, limit: int
) -> SearchResult | None:
    """Read the documents of a message id; None if only a search can tell (of a subscription no longer monitored)."""
    selected = selection.subscription or query.subscription
    subscriptions = (selected,) if selected else messages.subscriptions
    documents = [query.id, *(document_id(subscription, query.id) for subscription in subscriptions)]
    read = messages.read_many(documents)
    matches = [
        message
        for message in read.messages
        if query.matches(message)
        and selection.subscription in ("", message.subscription)
        and (before is None or message.cursor < before)
    ]
    if not matches and not selected:
        return None
    matches.sort(key=lambda message: message.cursor, reverse=True)
    older = matches[limit - 1].cursor if len(matches) > limit else None
    # No ``newest``: nothing else was examined, so a live stream must start now and not at the age of a match.
    return SearchResult(matches[:limit], None, older, len(documents), read.read_at)


def _start(before: Cursor | None, moment: datetime | None) -> Cursor | None:
    """Return the older of both; the position at a moment is before its lowest id."""
    if moment is None:
        return before
    start = Cursor(moment, "0" * 32)
    return min(before, start) if before else start
