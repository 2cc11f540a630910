"""Describe an error in a filter as its page shows it: the sentence, and the filter around the marked word. Pure."""

from dataclasses import dataclass

from infra.messages.visible_text import visible
from infra.query import QueryError

_MAX_SHOWN_BEFORE, _MAX_MARKED, _MAX_SHOWN_AFTER = 60, 40, 30


@dataclass(frozen=True)
class Problem:
    """An error in a filter: the sentence, its column (from 1), the word ``at`` the column, the text around it."""

    sentence: str
    column: int
    before: str
    at: str
    after: str


def problem_of(q: str, error: QueryError) -> Problem:
    """Return the error with the part of the filter ``q`` where it is."""
    start = error.column - 1
    end = start + 1
    while end < len(q) and end - start < _MAX_MARKED and not q[end].isspace():
        end += 1
    first, last = max(0, start - _MAX_SHOWN_BEFORE), end + _MAX_SHOWN_AFTER
    return Problem(
        sentence=error.problem,
        column=error.column,
        before=("…" if first else "") + visible(q[first:start]),
        at=visible(q[start:end]),
        after=visible(q[end:last]) + ("…" if len(q) > last else ""),
    )
