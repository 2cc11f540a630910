"""The filter of a request: ``?q=``, ``?subscription=`` and ``?before=``, and the search for its messages."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import request

from infra.errors import InputError
from infra.firestore.message_reader import MessageReader, Selection
from infra.firestore.pace import FULL_SPEED, Pace
from infra.firestore.search import BOUNDS, SearchBounds, SearchResult, search
from infra.messages.cursor import Cursor
from infra.query import Query, parse
from web.access.monitored import subscription_argument
from web.access.readable_messages import readable_messages
from web.access.roles import signed_in_user
from web.http.client_socket import leaving
from web.services import services

_AT_ONCE = 100


@dataclass(frozen=True)
class RequestFilter:
    """The filter of one request; ``text`` is the filter as typed."""

    text: str
    query: Query
    selection: Selection
    before: Cursor | None

    @property
    def arguments(self) -> dict[str, str]:
        """The non-empty arguments of the address."""
        given = {"q": self.text, "subscription": self.selection.subscription, "before": str(self.before or "")}
        return {name: value for name, value in given.items() if value}


def read_filter(arguments: Mapping[str, str]) -> RequestFilter:
    """Read the filter of an address or a form. Raises InputError (400)."""
    text = arguments.get("q", "").strip()
    return RequestFilter(
        text,
        parse(text, datetime.now(UTC)),
        Selection(subscription_argument(arguments.get("subscription", ""))),
        read_before(arguments.get("before", "")),
    )


def read_before(text: str) -> Cursor | None:
    """Parse the cursor of an address; None when it has none. Raises InputError (400)."""
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError as exc:
        raise InputError("before", f"{exc}. Start again from the newest messages.") from exc


def find(wanted: RequestFilter, limit: int, bounds: SearchBounds = BOUNDS) -> SearchResult:
    """Find up to ``limit`` matching messages for the signed-in user, newest first, within the bounds of one search.

    Raises StoreError, and BusyError while too many searches run.
    """
    person, has_left = signed_in_user().name, leaving(request.environ)
    with services().shares.search(person, has_left) as pace:
        return search(
            readable_messages(),
            wanted.selection,
            wanted.query,
            before=wanted.before,
            limit=limit,
            bounds=bounds,
            pace=pace,
        )


def pages(
    messages: MessageReader, wanted: RequestFilter, bounds: SearchBounds, pace: Pace = FULL_SPEED
) -> Iterator[SearchResult]:
    """Yield all matching messages, newest first, in pages: only one page is in memory.

    Stops at the oldest message, or after the page that reaches ``bounds`` or at which ``pace`` ends; that page's
    ``older`` is the cursor to continue from. Raises StoreError.
    """
    deadline = time.monotonic() + bounds.seconds
    before, left = wanted.before, bounds.messages
    while True:
        at_once = SearchBounds(min(left, BOUNDS.messages), BOUNDS.seconds)
        found = search(
            messages, wanted.selection, wanted.query, before=before, limit=_AT_ONCE, bounds=at_once, pace=pace
        )
        before, left = found.older, left - found.looked_at
        yield found
        if before is None or left <= 0 or not pace.goes_on(deadline):
            return
