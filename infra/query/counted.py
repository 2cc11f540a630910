"""The filters that Firestore can count by its indexes, without reading a message. Pure.

They have times, a subscription and at most one term that has index tokens. A message with more fields than the index
holds may match unseen: then a count is a lower bound.
"""

from dataclasses import dataclass
from datetime import datetime

from infra.query import Query, terms
from infra.query.content_terms import Equals
from infra.query.derived_terms import SeverityIs, TraceIs
from infra.query.narrowing import narrowing


@dataclass(frozen=True, slots=True)
class Countable:
    """A count by the index: of a subscription (empty: all), with any of the tokens (none: all), between two times."""

    subscription: str = ""
    tokens: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None


def countable(query: Query, subscription: str = "") -> Countable | None:
    """Return the count of a filter's matches in a subscription (empty: all); None when the index cannot count them."""
    found: tuple[str, ...] = ()
    subscriptions = {subscription} - {""}
    for term in query.terms:
        match term:
            case terms.After() | terms.Before():
                continue
            case terms.SubscriptionIs(subscription=required):
                subscriptions.add(required)
            case Equals() | SeverityIs() | TraceIs() if not found:
                found = narrowing(term).tokens
                # Of several, one is the text of an attribute, which may stand beside another severity or trace.
                if len(found) != 1:
                    return None
            case terms.Measured(name="severity", span=span) if not found and span.high is None:
                found = narrowing(term).tokens
                if not found:
                    return None
            case _:
                return None
    if len(subscriptions) > 1:
        return None
    return Countable("".join(subscriptions), found, query.after, query.before)
