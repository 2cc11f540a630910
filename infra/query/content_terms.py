"""The terms that search the content of a message: text anywhere, and one attribute or JSON field. Pure.

They see the head document only: payloads of at most 16 KiB whole, and of a larger one its preview and its tokens.
``infra.messages.folding`` says which letters are the same.
"""

from dataclasses import dataclass
from typing import ClassVar

from infra.messages.folding import contains, folded
from infra.messages.message import Message, fits_index
from infra.query.expressions import expression
from infra.query.json_paths import is_position
from infra.query.ordered.spans import Order, Span, read_as
from infra.query.reading import Reading


@dataclass(frozen=True, slots=True)
class Text:
    """``part`` occurs in the payload, an attribute's name or value, the message id or ordering key; case is ignored.

    A payload is searched as it was sent, and with its JSON escapes resolved.
    """

    part: str
    cost: ClassVar[int] = 2

    def matches(self, reading: Reading) -> bool:
        return reading.contains_text(folded(self.part))


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

        The index holds top-level fields of objects only: no nested field, no ``*``, no element of an array.
        """
        token = f"{self.key}={self.value}"
        field = field_of(self.key)
        return "" if "." in field or field == "*" or is_position(field) or not fits_index(token) else token

    def matches(self, reading: Reading) -> bool:
        message = reading.message
        if message.attributes.get(self.key) == self.value:
            return True
        if not (field := field_of(self.key)):
            return False
        if message.data is None:
            return self.value in _indexed_texts(message, self.key)
        return reading.field_equals(message.data, field, self.value)


@dataclass(frozen=True, slots=True)
class Contains:
    """The attribute ``key``, or the JSON field after ``data.``, contains ``part``, case ignored; empty: it exists."""

    key: str
    part: str

    @property
    def cost(self) -> int:
        return _cost_of(self.key)

    def matches(self, reading: Reading) -> bool:
        message, wanted = reading.message, folded(self.part)
        attribute = message.attributes.get(self.key)
        if attribute is not None and contains(attribute, wanted):
            return True
        if not (field := field_of(self.key)):
            return False
        if message.data is None:
            return any(contains(text, wanted) for text in _indexed_texts(message, self.key))
        return reading.field_contains(message.data, field, wanted)


@dataclass(frozen=True, slots=True)
class Compared:
    """The attribute ``key``, or the JSON field after ``data.``, is a number or a time within ``span``.

    A text that is no number, or no time, is within no span.
    """

    key: str
    order: Order
    span: Span

    @property
    def cost(self) -> int:
        return _cost_of(self.key)

    def matches(self, reading: Reading) -> bool:
        message = reading.message
        attribute = message.attributes.get(self.key)
        if attribute is not None and self._holds(attribute):
            return True
        if not (field := field_of(self.key)):
            return False
        if message.data is None:
            return any(map(self._holds, _indexed_texts(message, self.key)))
        return reading.field_within(message.data, field, self.order, self.span)

    def _holds(self, text: str) -> bool:
        value = read_as(self.order, text)
        return value is not None and self.span.holds(value)


@dataclass(frozen=True, slots=True)
class Matches:
    """The regular expression ``pattern`` occurs in the attribute or JSON field ``key``.

    Without a key, in one of the texts that ``Text`` searches, each alone.
    """

    key: str
    pattern: str

    @property
    def cost(self) -> int:
        return _cost_of(self.key) if self.key else 2

    def matches(self, reading: Reading) -> bool:
        message, compiled = reading.message, expression(self.pattern)
        if not self.key:
            return reading.contains_expression(compiled)
        attribute = message.attributes.get(self.key)
        if attribute is not None and compiled.finds(attribute):
            return True
        if not (field := field_of(self.key)):
            return False
        if message.data is None:
            return any(map(compiled.finds, _indexed_texts(message, self.key)))
        return reading.field_contains_expression(message.data, field, compiled)


def field_of(key: str) -> str:
    """Return the path of a JSON field; empty for an attribute's name."""
    return key[len("data.") :] if key.startswith("data.") else ""


def _cost_of(key: str) -> int:
    return 2 if field_of(key) else 1


def _indexed_texts(message: Message, key: str) -> list[str]:
    return [token[len(key) + 1 :] for token in message.tokens if token.startswith(key + "=")]
