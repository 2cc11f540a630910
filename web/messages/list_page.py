"""The content of the list page: rows, how far back the search went, or the error in the filter. No I/O."""

from dataclasses import dataclass
from datetime import timedelta

from infra.firestore.search import SearchResult
from infra.messages.cursor import Cursor
from infra.query import Query, QueryError
from web.filters.columns import Columns
from web.filters.explanation import Explanation
from web.filters.highlights import Highlights
from web.filters.problems import Problem, problem_of
from web.messages.rows import row_html

PAGE_ROWS = 50
# A document may become visible later than a newer one, so the stream of an empty page starts before the search.
_LATENESS = timedelta(seconds=10)


@dataclass(frozen=True)
class ListPage:
    """One page of the list. ``q`` is the filter as typed; with a ``problem`` there was no search."""

    q: str
    subscription: str
    before: Cursor | None
    query: Query
    found: SearchResult
    problem: Problem | None = None
    explained: Explanation | None = None

    @property
    def live_from(self) -> Cursor | None:
        """The position from which the page's stream starts: after the newest message, if the search reached it.

        Otherwise it is the time of the search by Firestore's clock: this machine's may be ahead of it. None when there
        was no search.
        """
        if self.found.newest and not self.before and not self.query.before:
            return self.found.newest
        return Cursor(self.found.read_at - _LATENESS, "0" * 32) if self.found.read_at else None

    @property
    def is_filtered(self) -> bool:
        """Tell whether a filter narrows the list."""
        return bool(self.query.terms)


def refused(q: str, subscription: str, before: Cursor | None, error: QueryError) -> ListPage:
    """Return a list without rows, with the error in its filter."""
    return ListPage(q, subscription, before, Query(), SearchResult([], None, None, 0), problem_of(q, error))


def as_json(search_result: SearchResult, columns: Columns, highlights: Highlights = ()) -> dict[str, object]:
    """Return the rows and the cursors of the next pages, for the page's script."""
    rows = [
        {
            "id": message.id,
            "cursor": str(message.cursor),
            "deliveries": message.deliveries,
            "html": row_html(message, columns, highlights),
        }
        for message in search_result.messages
    ]
    return {
        "rows": rows,
        "newest": str(search_result.newest) if search_result.newest else None,
        "older": str(search_result.older) if search_result.older else None,
        "looked_at": search_result.looked_at,
        "seconds": round(search_result.seconds, 3),
    }
