"""The terms of the filter language: negation, alternatives, and terms on single fields of a message. Pure.

``cost`` orders the terms so that payloads are read last. ``content_terms`` has the terms that search the content.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from infra.messages.message import Kind
from infra.query.ordered.measures import MEASURES
from infra.query.ordered.spans import Span
from infra.query.reading import Reading

Quality = Literal["attributes", "data", "key", "redelivery"]


class Term(Protocol):
    """One condition on a message."""

    @property
    def cost(self) -> int:
        """0 compares a field, 1 reads attributes, 2 reads the payload."""

    def matches(self, reading: Reading) -> bool:
        """Tell whether a message meets the condition."""


@dataclass(frozen=True, slots=True)
class Not:
    """Met by every message that does not meet ``term``."""

    term: Term

    @property
    def cost(self) -> int:
        return self.term.cost

    def matches(self, reading: Reading) -> bool:
        return not self.term.matches(reading)


def opposite(term: Term) -> Term:
    """Negate ``term``, down to its leaves: a negated time is the other time term, by which Firestore can narrow."""
    match term:
        case After(at=at):
            return Before(at)
        case Before(at=at):
            return After(at)
        case AnyOf(terms=several):
            return AllOf(tuple(map(opposite, several)))
        case AllOf(terms=several):
            return AnyOf(tuple(map(opposite, several)))
        case Not(term=negated):
            return negated
        case _:
            return Not(term)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Met when each of ``terms`` is met: a group in brackets."""

    terms: tuple[Term, ...]

    @property
    def cost(self) -> int:
        return max(term.cost for term in self.terms)

    def matches(self, reading: Reading) -> bool:
        return all(term.matches(reading) for term in self.terms)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Met when at least one of ``terms`` is met."""

    terms: tuple[Term, ...]

    @property
    def cost(self) -> int:
        return max(term.cost for term in self.terms)

    def matches(self, reading: Reading) -> bool:
        return any(term.matches(reading) for term in self.terms)


def leaves(term: Term) -> Iterator[Term]:
    """Yield the terms of a tree that have no terms of theirs."""
    match term:
        case AllOf(terms=several) | AnyOf(terms=several):
            for one in several:
                yield from leaves(one)
        case Not(term=negated):
            yield from leaves(negated)
        case _:
            yield term


@dataclass(frozen=True, slots=True)
class KindIs:
    """The payload is of ``kind``."""

    kind: Kind
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.kind == self.kind


@dataclass(frozen=True, slots=True)
class Larger:
    """The payload has more than ``size_bytes`` bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.size_bytes > self.size_bytes


@dataclass(frozen=True, slots=True)
class Smaller:
    """The payload has fewer than ``size_bytes`` bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.size_bytes < self.size_bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value of the message, such as its size, is within ``span``."""

    name: str
    span: Span
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        value = MEASURES[self.name].read(reading.message)
        return value is not None and self.span.holds(value)


@dataclass(frozen=True, slots=True)
class Has:
    """The message has attributes, data, an ordering key, or a second delivery."""

    quality: Quality
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        match self.quality:
            case "attributes":
                return bool(reading.message.attributes)
            case "data":
                return reading.message.size_bytes > 0
            case "key":
                return bool(reading.message.ordering_key)
            case "redelivery":
                return reading.message.deliveries > 1


@dataclass(frozen=True, slots=True)
class After:
    """Received at ``at`` or later."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.received_at >= self.at


@dataclass(frozen=True, slots=True)
class Before:
    """Received before ``at``."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.received_at < self.at


@dataclass(frozen=True, slots=True)
class SubscriptionIs:
    """Delivered by this subscription."""

    subscription: str
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.subscription == self.subscription


@dataclass(frozen=True, slots=True)
class IdIs:
    """Pub/Sub's message id, or the id in the message's address, equals ``id``."""

    id: str
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return self.id in (reading.message.message_id, reading.message.id)


@dataclass(frozen=True, slots=True)
class OrderingKeyIs:
    """The ordering key equals ``key`` exactly."""

    key: str
    cost: ClassVar[int] = 0

    def matches(self, reading: Reading) -> bool:
        return reading.message.ordering_key == self.key


def leaves_of(term: Term) -> Iterator[Term]:
    """Yield the terms within groups, alternatives and negations."""
    match term:
        case AllOf(terms=several) | AnyOf(terms=several):
            for one in several:
                yield from leaves_of(one)
        case Not(term=inner):
            yield from leaves_of(inner)
        case _:
            yield term
