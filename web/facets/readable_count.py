"""Which filters the index may count for the signed-in user."""

from datetime import datetime

from infra.query import QueryError, parse
from infra.query.counted import Countable, countable
from web.access.readable_messages import readers_mask


def readable_count(q: str, subscription: str, now: datetime) -> Countable | None:
    """Return the count of a filter; None when the index cannot count it, or when the count would reveal a value.

    The number of messages with a masked value reveals that value.
    """
    try:
        found = countable(parse(q, now), subscription)
    except QueryError:
        return None
    return None if found is None or any(map(readers_mask().hides_token, found.tokens)) else found
