"""The terms that compare: ``data.total>100``, ``size>=10kb``, ``data.at:2026-01-01..2026-02-01``. Pure.

A name without quotes that is a measure means the measure; every other name is an attribute's or a field's.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from infra.query.content_terms import Compared
from infra.query.ordered.measures import MEASURES, time_of
from infra.query.ordered.numbers import number
from infra.query.ordered.spans import Order, Span, compared
from infra.query.syntax.tokenizer import QueryError, Word
from infra.query.terms import Measured, Term

BETWEEN = ".."
_LIMIT = "a comparison needs a number or a time, for example 100, 2026-11-23, or 10m for ten minutes ago"
_RANGE = "a range is written 10..20, 10.. or ..20, with numbers or times"
_IN_QUOTES = "in quotes it is text."


def comparison(word: Word, now: datetime) -> Term:
    """Return the term of ``name>value``. Raises QueryError."""
    if not word.value:
        raise QueryError(word.value_column, f"a number or a time is missing after {word.operator}; {_IN_QUOTES}")
    order, limit = _limit(word, word.value, now)
    return _term(word, order, compared(word.operator, limit))


def between(word: Word, now: datetime) -> Term:
    """Return the term of ``name:low..high``; one of the limits may be empty. Raises QueryError."""
    low, _, high = word.value.partition(BETWEEN)
    if not low and not high:
        raise QueryError(word.value_column, f"{_RANGE}; found {word.value[:40]!r}.")
    lowest = _limit(word, low, now) if low else None
    highest = _limit(word, high, now) if high else None
    orders = {limit[0] for limit in (lowest, highest) if limit}
    if len(orders) > 1:
        problem = f"both ends of a range are numbers, or both are times; found {word.value[:60]!r}."
        raise QueryError(word.value_column, problem)
    span = Span(lowest and lowest[1], highest and highest[1])
    if span.low is not None and span.high is not None and span.low > span.high:
        raise QueryError(word.value_column, f"a range begins with its lower end; found {word.value[:60]!r}.")
    return _term(word, orders.pop(), span)


def _term(word: Word, order: Order, span: Span) -> Term:
    return Measured(word.key, span) if _is_measure(word) else Compared(word.key, order, span)


def _is_measure(word: Word) -> bool:
    return word.key in MEASURES and not word.is_quoted


def _limit(word: Word, text: str, now: datetime) -> tuple[Order, Decimal]:
    """Read one limit: a number, or a time. Raises QueryError."""
    if _is_measure(word):
        return "number", _read(word, text, lambda: MEASURES[word.key].parse(text, now))
    value = number(text)
    if value is not None:
        return "number", value
    return "time", _read(word, text, lambda: time_of(text, now))


def _read(word: Word, text: str, parse: Callable[[], Decimal]) -> Decimal:
    try:
        return parse()
    except ValueError as exc:
        sentence = exc if _is_measure(word) else _LIMIT
        raise QueryError(word.value_column, f"{sentence}; found {text[:40]!r}; {_IN_QUOTES}") from exc
