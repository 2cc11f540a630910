"""The terms with a name before a colon: ``kind:json``, ``has:data.id``, ``after:10m``, ``size:10kb..1mb``. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import get_args

from infra.messages.message import Kind
from infra.query import content_terms, terms
from infra.query.literals import size_bytes
from infra.query.moments import moment
from infra.query.ordered.measures import MEASURES
from infra.query.syntax import comparisons
from infra.query.syntax.tokenizer import QueryError, Word
from infra.query.terms import Quality, Term


def prefixed(word: Word, now: datetime) -> Term:
    """Return the term of ``name:value``. Raises QueryError."""
    if word.is_quoted or (word.key.lower() not in PREFIXES and comparisons.BETWEEN in word.value):
        return comparisons.between(word, now)
    make = PREFIXES.get(word.key.lower())
    if make is None:
        raise QueryError(word.column + word.negated, _unknown(word.key))
    if not word.value:
        raise QueryError(word.value_column, f"something is missing after {word.key}:")
    try:
        return make(word.value, now)
    except ValueError as exc:
        raise QueryError(word.value_column, f"{exc}; found {word.value[:40]!r}.") from exc


def _unknown(name: str) -> str:
    if name in MEASURES:
        return f"{name}: needs a range, for example {name}:2..5, or {name}>2. In quotes it is text."
    known = ", ".join(f"{prefix}:" for prefix in PREFIXES)
    return f"{name[:40]}: is not known; known are {known}. In quotes it is text."


def _kind(value: str, _: datetime) -> Term:
    kind = next((known for known in get_args(Kind) if known == value.lower()), None)
    if kind is None:
        raise ValueError(f"a kind is one of {', '.join(get_args(Kind))}")
    return terms.KindIs(kind)


def _has(value: str, _: datetime) -> Term:
    quality = next((known for known in get_args(Quality) if known == value.lower()), None)
    return content_terms.Contains(value, "") if quality is None else terms.Has(quality)


PREFIXES: dict[str, Callable[[str, datetime], Term]] = {
    "after": lambda value, now: terms.After(moment(value, now)),
    "before": lambda value, now: terms.Before(moment(value, now)),
    "has": _has,
    "id": lambda value, _: terms.IdIs(value),
    "key": lambda value, _: terms.OrderingKeyIs(value),
    "kind": _kind,
    "larger": lambda value, _: terms.Larger(size_bytes(value)),
    "smaller": lambda value, _: terms.Smaller(size_bytes(value)),
    "subscription": lambda value, _: terms.SubscriptionIs(value),
}
