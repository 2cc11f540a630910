"""The terms of the filter language: each decides whether a message meets it. Pure.

``cost`` orders the terms so that payloads are read last. A term sees the head document only: payloads of at most 16 KiB
whole, and of a larger one its preview and its tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from infra.messages.message import Kind, Message, fits_index
from infra.query.json_paths import path_exists, texts_at

Quality = Literal["attributes", "data", "key", "redelivery"]


class Term(Protocol):
    """One condition on a message."""

    @property
    def cost(self) -> int:
        """0 compares a field, 1 reads attributes, 2 reads the payload."""

    def matches(self, message: Message) -> bool:
        """Tell whether a message meets the condition."""


@dataclass(frozen=True, slots=True)
class Not:
    """Met by every message that does not meet ``term``."""

    term: Term

    @property
    def cost(self) -> int:
        return self.term.cost

    def matches(self, message: Message) -> bool:
        return not self.term.matches(message)


def opposite(term: Term) -> Term:
    """Negate ``term``. A negated time is the other time term, so that Firestore can still narrow by it."""
    match term:
        case After(at=at):
            return Before(at)
        case Before(at=at):
            return After(at)
        case _:
            return Not(term)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Met when at least one of ``terms`` is met."""

    terms: tuple[Term, ...]

    @property
    def cost(self) -> int:
        return max(term.cost for term in self.terms)

    def matches(self, message: Message) -> bool:
        return any(term.matches(message) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Text:
    """``part`` occurs in the payload, an attribute's name or value, the message id or ordering key; case is ignored."""

    part: str
    cost: ClassVar[int] = 2

    def matches(self, message: Message) -> bool:
        wanted = self.part.casefold()
        return any(wanted in text.casefold() for text in _texts(message))


def _texts(message: Message) -> Iterator[str]:
    yield message.message_id
    yield message.ordering_key
    for name, value in message.attributes.items():
        yield name
        yield value
    yield message.preview if message.data is None else message.data.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute ``key``, or the JSON field after ``data.``, equals ``value`` exactly."""

    key: str
    value: str

    @property
    def cost(self) -> int:
        return _cost_of(self.key)

    @property
    def token(self) -> str:
        """The index token of this term; empty when the index does not hold every such message.

        The index holds top-level fields only: no nested field and no ``*``.
        """
        token = f"{self.key}={self.value}"
        field = _field_of(self.key)
        return "" if "." in field or field == "*" or not fits_index(token) else token

    def matches(self, message: Message) -> bool:
        if message.attributes.get(self.key) == self.value:
            return True
        return any(text == self.value for text in _field_texts(message, self.key))


@dataclass(frozen=True, slots=True)
class Contains:
    """The attribute ``key``, or the JSON field after ``data.``, contains ``part``, case ignored; empty: it exists."""

    key: str
    part: str

    @property
    def cost(self) -> int:
        return _cost_of(self.key)

    def matches(self, message: Message) -> bool:
        wanted = self.part.casefold()
        attribute = message.attributes.get(self.key)
        if attribute is not None and wanted in attribute.casefold():
            return True
        if not wanted and message.data is not None and (field := _field_of(self.key)):
            return path_exists(message.data, field)
        return any(wanted in text.casefold() for text in _field_texts(message, self.key))


def _field_of(key: str) -> str:
    return key[len("data.") :] if key.startswith("data.") else ""


def _cost_of(key: str) -> int:
    return 2 if _field_of(key) else 1


def _field_texts(message: Message, key: str) -> Iterator[str]:
    field = _field_of(key)
    if not field:
        return
    if message.data is not None:
        yield from texts_at(message.data, field)
        return
    for token in message.tokens:
        if token.startswith(key + "="):
            yield token[len(key) + 1 :]


@dataclass(frozen=True, slots=True)
class KindIs:
    """The payload is of ``kind``."""

    kind: Kind
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.kind == self.kind


@dataclass(frozen=True, slots=True)
class Larger:
    """The payload has more than ``size_bytes`` bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.size_bytes > self.size_bytes


@dataclass(frozen=True, slots=True)
class Smaller:
    """The payload has fewer than ``size_bytes`` bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.size_bytes < self.size_bytes


@dataclass(frozen=True, slots=True)
class Has:
    """The message has attributes, data, an ordering key, or a second delivery."""

    quality: Quality
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        match self.quality:
            case "attributes":
                return bool(message.attributes)
            case "data":
                return message.size_bytes > 0
            case "key":
                return bool(message.ordering_key)
            case "redelivery":
                return message.deliveries > 1


@dataclass(frozen=True, slots=True)
class After:
    """Received at ``at`` or later."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.received_at >= self.at


@dataclass(frozen=True, slots=True)
class Before:
    """Received before ``at``."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.received_at < self.at


@dataclass(frozen=True, slots=True)
class SubscriptionIs:
    """Delivered by this subscription."""

    subscription: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.subscription == self.subscription


@dataclass(frozen=True, slots=True)
class IdIs:
    """Pub/Sub's message id, or the id in the message's address, equals ``id``."""

    id: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return self.id in (message.message_id, message.id)


@dataclass(frozen=True, slots=True)
class OrderingKeyIs:
    """The ordering key equals ``key`` exactly."""

    key: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.ordering_key == self.key
