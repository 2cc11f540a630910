"""The terms that search the content of a message: text anywhere, and one attribute or JSON field. Pure.

They see the head document only: payloads of at most 16 KiB whole, and of a larger one its preview and its tokens.
``infra.messages.folding`` says which letters are the same.
"""

from dataclasses import dataclass
from typing import ClassVar

from infra.messages.folding import contains, folded
from infra.messages.message import Message, fits_index
from infra.query.json_paths import is_position
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


def field_of(key: str) -> str:
    """Return the path of a JSON field; empty for an attribute's name."""
    return key[len("data.") :] if key.startswith("data.") else ""


def _cost_of(key: str) -> int:
    return 2 if field_of(key) else 1


def _indexed_texts(message: Message, key: str) -> list[str]:
    return [token[len(key) + 1 :] for token in message.tokens if token.startswith(key + "=")]
