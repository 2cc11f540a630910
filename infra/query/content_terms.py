"""The terms that search the content of a message: text anywhere, and one attribute or JSON field. Pure.

They see the head document only: payloads of at most 16 KiB whole, and of a larger one its preview and its tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from infra.messages.message import Message, fits_index
from infra.query.json_paths import path_exists, texts_at


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
