"""Which filters can colour their matches in lists. Pure."""

import re
from datetime import UTC, datetime

from infra.query import parse
from infra.query.content_terms import Compared, Matches
from infra.query.list_arguments import ListArguments
from infra.query.terms import Measured, Term, leaves

# Style sheets give each a light and a dark form.
COLOURS = ("amber", "red", "pink", "violet", "blue", "teal", "green", "grey")
# Each row of a list is compared with all of them.
MAX_COLOURED = 8
MAX_CHARACTERS = 300
# Also within alternatives, which the parsed query does not tell; a text like this in quotes is refused with them.
_TIME = re.compile(r"(?:after|before):|published\s*[<>]", re.IGNORECASE)


def colour_problem(arguments: ListArguments) -> str:
    """Return why the matches of a filter cannot have a colour, empty when they can. Raises QueryError.

    Rows of pages and of streams must agree, whenever they are made.
    """
    query = parse(arguments.query, datetime.now(UTC))
    if not query.terms:
        return "needs a filter that has terms, because it would mark every message"
    terms = [leaf for term in query.terms for leaf in leaves(term)]
    if any(isinstance(term, Matches) for term in terms):
        return "needs a filter without regular expressions, because each row is compared with it"
    if _TIME.search(arguments.query) or any(map(_is_time, terms)):
        return "needs a filter without times, because rows keep their colour"
    if len(arguments.query) > MAX_CHARACTERS or ".*" in arguments.query:
        return (
            f"needs a filter of at most {MAX_CHARACTERS} characters without a path with *, "
            "because each row is compared with it"
        )
    return ""


def _is_time(term: Term) -> bool:
    """Tell whether a term compares times, which may count from the moment at which the filter was read."""
    return (isinstance(term, Compared) and term.order == "time") or (
        isinstance(term, Measured) and term.name == "published"
    )
