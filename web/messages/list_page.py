"""The list as its page shows it: rows, how far back was looked, or what is wrong with its filter. It does no I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.firestore.search import SearchResult
from infra.messages.cursor import Cursor
from infra.query import Query, QueryError
from web.filters.columns import Columns
from web.filters.problems import Problem, problem_of
from web.messages.rows import row_html

# A document may become visible a little later than a newer one: an empty page's stream begins that much earlier.
_LATENESS = timedelta(seconds=10)


@dataclass(frozen=True)
class List:
    """One page of the list. ``q`` is the filter as typed; with a ``problem`` nothing was looked for."""

    q: str
    subscription: str
    before: Cursor | None
    query: Query
    found: SearchResult
    problem: Problem | None = None

    @property
    def live_from(self) -> Cursor:
        """Where the page's stream begins: behind what was looked at, if that was the newest there is."""
        if self.found.newest and not self.before and not self.query.before:
            return self.found.newest
        return Cursor(datetime.now(UTC) - _LATENESS, "0" * 32)

    @property
    def is_filtered(self) -> bool:
        """Whether a filter narrows it."""
        return bool(self.query.terms)


def refused(q: str, subscription: str, before: Cursor | None, error: QueryError) -> List:
    """A list without rows, and what is wrong with its filter."""
    return List(q, subscription, before, Query(), SearchResult([], None, None, 0), problem_of(q, error))


def as_json(found: SearchResult, columns: Columns) -> dict[str, object]:
    """Rows and where they go on, for the page's own script."""
    rows = [
        {"id": one.id, "cursor": str(one.cursor), "deliveries": one.deliveries, "html": row_html(one, columns)}
        for one in found.messages
    ]
    return {
        "rows": rows,
        "newest": str(found.newest) if found.newest else None,
        "older": str(found.older) if found.older else None,
        "looked_at": found.looked_at,
    }
