"""The measures of a message, which a filter compares under a name without quotes: ``size>10kb``. Pure.

A further ordered value, such as the ranks of an enumeration, is one more entry: ``read`` returns a message's value or
None, and ``parse`` the value of a typed text, or raises ValueError with a sentence about valid ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.messages.message import Message
from infra.messages.severity import LEVELS, level_of, severity_of
from infra.query.literals import size_bytes
from infra.query.moments import any_moment
from infra.query.ordered.instants import instant, instant_of
from infra.query.ordered.numbers import number


@dataclass(frozen=True, slots=True)
class Measure:
    """An ordered value of each message; ``meaning`` says in a few words what it is."""

    meaning: str
    read: Callable[[Message], Decimal | None]
    parse: Callable[[str, datetime], Decimal]


def time_of(text: str, now: datetime) -> Decimal:
    """Parse a typed time. Raises ValueError with an example of a valid one."""
    exact = instant(text)
    return instant_of(any_moment(text, now)) if exact is None else exact


def _count(text: str, _: datetime) -> Decimal:
    count = number(text)
    if count is None:
        raise ValueError("a count is a number, for example 2")
    return count


def _severity(message: Message) -> Decimal | None:
    level = severity_of(message)
    return Decimal(LEVELS.index(level)) if level else None


def _level(text: str, _: datetime) -> Decimal:
    level = level_of(text)
    if not level:
        raise ValueError(f"a severity is one of {', '.join(LEVELS)}")
    return Decimal(LEVELS.index(level))


def _attempt(message: Message) -> Decimal | None:
    return None if message.delivery_attempt is None else Decimal(message.delivery_attempt)


MEASURES: dict[str, Measure] = {
    "attempt": Measure("the delivery attempt", _attempt, _count),
    "deliveries": Measure("the number of deliveries", lambda message: Decimal(message.deliveries), _count),
    "published": Measure("the publish time", lambda message: instant_of(message.publish_time), time_of),
    "severity": Measure("the severity", _severity, _level),
    "size": Measure(
        "the size of the payload",
        lambda message: Decimal(message.size_bytes),
        lambda text, _: Decimal(size_bytes(text)),
    ),
}
