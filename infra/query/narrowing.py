"""The part of a filter that Firestore's indexes answer: every message that matches is within it. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.messages.severity import LEVELS
from infra.query import content_terms, terms
from infra.query.derived_terms import SeverityIs, TraceIs
from infra.query.terms import Term

# Firestore looks each one up in each shard (``infra.firestore.message_query``).
MAX_TOKENS = 5


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Limits of a read. Every match has one of ``tokens`` (none: no limit) and was received within the times."""

    tokens: tuple[str, ...] = ()
    subscription: str = ""
    after: datetime | None = None
    before: datetime | None = None


def narrowing(term: Term) -> Narrowing:
    """Return what the indexes answer of one term or group."""
    match term:
        case content_terms.Equals(token=token) if token:
            return Narrowing(tokens=(token,))
        case SeverityIs(tokens=tokens) | TraceIs(tokens=tokens):
            return Narrowing(tokens=tokens)
        case terms.Measured(name="severity", span=span):
            levels = [level for rank, level in enumerate(LEVELS) if span.holds(Decimal(rank))]
            return Narrowing(tokens=tuple(map("severity={}".format, levels)) if len(levels) <= MAX_TOKENS else ())
        case terms.SubscriptionIs(subscription=subscription):
            return Narrowing(subscription=subscription)
        case terms.After(at=at):
            return Narrowing(after=at)
        case terms.Before(at=at):
            return Narrowing(before=at)
        case terms.AllOf(terms=several):
            return of_all(map(narrowing, several))
        case terms.AnyOf(terms=several):
            return _of_any([narrowing(one) for one in several])
        case _:
            return Narrowing()


def of_all(several: Iterator[Narrowing]) -> Narrowing:
    """Join limits that all hold. One query has one token, so the fewest tokens are taken."""
    held = list(several)
    return Narrowing(
        tokens=min((one.tokens for one in held if one.tokens), key=len, default=()),
        subscription=next((one.subscription for one in held if one.subscription), ""),
        after=max((one.after for one in held if one.after), default=None),
        before=min((one.before for one in held if one.before), default=None),
    )


def _of_any(several: list[Narrowing]) -> Narrowing:
    """Join limits of which one holds: each alternative must have a limit of a kind."""
    tokens = dict.fromkeys(token for one in several for token in one.tokens)
    subscriptions = {one.subscription for one in several}
    return Narrowing(
        tokens=tuple(tokens) if all(one.tokens for one in several) and len(tokens) <= MAX_TOKENS else (),
        subscription=subscriptions.pop() if len(subscriptions) == 1 else "",
        after=_limit([one.after for one in several], min),
        before=_limit([one.before for one in several], max),
    )


def _limit(times: list[datetime | None], widest: Callable[[list[datetime]], datetime]) -> datetime | None:
    given = [at for at in times if at]
    return widest(given) if len(given) == len(times) else None
