"""Terms: what each kind asks of a message. Pure; ``cost`` orders them, so that payloads are looked at last.

A term sees what the head document holds: payloads of at most 16 KiB whole, of a longer one its preview and its tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol

from infra.messages.message import Kind, Message, fits_index
from infra.query.json_paths import leads_anywhere, texts_at

Quality = Literal["attributes", "data", "key", "redelivery"]


class Term(Protocol):
    """One condition."""

    @property
    def cost(self) -> int:
        """0 compares a field, 1 looks at attributes, 2 at the payload."""

    def matches(self, message: Message) -> bool:
        """Whether a message meets it."""


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    term: Term

    @property
    def cost(self) -> int:
        return self.term.cost

    def matches(self, message: Message) -> bool:
        return not self.term.matches(message)


def opposite(term: Term) -> Term:
    """What every message meets that does not meet ``term``. Of a time it is a time, which Firestore narrows by."""
    match term:
        case After(at=at):
            return Before(at)
        case Before(at=at):
            return After(at)
        case _:
            return Not(term)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several."""

    terms: tuple[Term, ...]

    @property
    def cost(self) -> int:
        return max(term.cost for term in self.terms)

    def matches(self, message: Message) -> bool:
        return any(term.matches(message) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Text:
    """``part`` is found, in any case, in the payload, an attribute's name or value, the message id or ordering key."""

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
    """The attribute ``key``, or the JSON field after ``data.``, is exactly ``value``."""

    key: str
    value: str

    @property
    def cost(self) -> int:
        return _cost_of(self.key)

    @property
    def token(self) -> str:
        """What the index files it under; empty when the index does not hold all such messages.

        A field below another, and any of several, is not in the index.
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
    """The attribute ``key``, or the JSON field after ``data.``, holds ``part`` in any case; empty: it is there."""

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
            return leads_anywhere(message.data, field)
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
    """The payload is of this kind."""

    kind: Kind
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.kind == self.kind


@dataclass(frozen=True, slots=True)
class Larger:
    """The payload has more bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.size_bytes > self.size_bytes


@dataclass(frozen=True, slots=True)
class Smaller:
    """The payload has fewer bytes."""

    size_bytes: int
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.size_bytes < self.size_bytes


@dataclass(frozen=True, slots=True)
class Has:
    """Something is there: attributes, data, an ordering key, a second delivery."""

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
    """Received at that moment or later."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.received_at >= self.at


@dataclass(frozen=True, slots=True)
class Before:
    """Received before that moment."""

    at: datetime
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.received_at < self.at


@dataclass(frozen=True, slots=True)
class SubscriptionIs:
    """Came through this subscription."""

    subscription: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.subscription == self.subscription


@dataclass(frozen=True, slots=True)
class IdIs:
    """Pub/Sub's message id, or the id in the message's address."""

    id: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return self.id in (message.message_id, message.id)


@dataclass(frozen=True, slots=True)
class OrderingKeyIs:
    """The ordering key is exactly this."""

    key: str
    cost: ClassVar[int] = 0

    def matches(self, message: Message) -> bool:
        return message.ordering_key == self.key
