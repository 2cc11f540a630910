"""Messages grouped by a field: how many, since when and how large. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from infra.messages.message import Message
from infra.messages.severity import severity_of
from infra.query.ordered.numbers import number as exact_number
from web.facets.terms import KIND, SEVERITY, SUBSCRIPTION
from web.filters.columns import value as column_value

# More groups are joined in the last one.
MAX_GROUPS = 50
_DERIVED: dict[str, Callable[[Message], str | None]] = {
    SEVERITY: severity_of,
    KIND: lambda message: message.kind,
    SUBSCRIPTION: lambda message: message.subscription,
}
_MAX_NUMBER_CHARACTERS = 40


@dataclass
class Group:
    """The messages with one value of a field; ``value`` is None for those without the field."""

    value: str | None
    count: int
    first: datetime
    last: datetime
    size_bytes: int
    numbers: list[Decimal] = field(default_factory=list)

    def add(self, message: Message, number: Decimal | None) -> None:
        """Count a message in."""
        self.count += 1
        self.first, self.last = min(self.first, message.received_at), max(self.last, message.received_at)
        self.size_bytes += message.size_bytes
        if number is not None:
            self.numbers.append(number)

    def percentile(self, percent: int) -> Decimal | None:
        """Return the number that ``percent`` of this group's numbers do not exceed (nearest rank); None without any."""
        if not self.numbers:
            return None
        ranked = sorted(self.numbers)
        return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


@dataclass(frozen=True)
class Grouping:
    """The groups of a sample, the largest first; ``others`` have been left out."""

    groups: Sequence[Group]
    sample: int
    others: int = 0

    def share(self, group: Group) -> float:
        """Return the part of the sample that is in a group, from 0 to 1."""
        return group.count / self.sample if self.sample else 0.0


def value_of(message: Message, name: str) -> str | None:
    """Return the value of an attribute, of a JSON field after ``data.``, or of what Subscope derives (``:kind``)."""
    if derive := _DERIVED.get(name):
        return derive(message) or None
    return column_value(message, name)


def number_of(message: Message, name: str) -> Decimal | None:
    """Return the value of a field as an exact number; None when it is none."""
    text = value_of(message, name)
    if text is None or len(text) > _MAX_NUMBER_CHARACTERS:
        return None
    return exact_number(text)


def group_by(messages: Iterable[Message], name: str, number: str = "") -> Grouping:
    """Group messages by a field; with ``number``, keep the values of that field for percentiles."""
    groups: dict[str | None, Group] = {}
    sample = 0
    for message in messages:
        sample += 1
        value = value_of(message, name)
        group = groups.get(value)
        if group is None:
            group = groups[value] = Group(value, 0, message.received_at, message.received_at, 0)
        group.add(message, number_of(message, number) if number else None)
    ranked = sorted(groups.values(), key=lambda group: (-group.count, group.value is None, group.value or ""))
    return Grouping(ranked[:MAX_GROUPS], sample, sum(group.count for group in ranked[MAX_GROUPS:]))
