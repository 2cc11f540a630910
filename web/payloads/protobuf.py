"""Show the fields of a protocol buffer without its schema, as text. Pure and bounded.

The wire format has field numbers and lengths, but no names and types (protobuf.dev/programming-guides/encoding). The
result is therefore a guess, and other binary data may look like a protocol buffer by chance.
"""

import json
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from infra.messages.visible_text import visible

MAX_FIELDS = 10_000
MAX_DEPTH = 12
_MAX_NUMBER = 2**29 - 1
_MAX_VARINT_BYTES = 10
_SHOWN_BYTES = 32
_INDENT = "  "
# Text rarely has control characters; a nested message nearly always has them. Exceptions: may_be_message.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _NotProtobufError(Exception):
    """The bytes are no protocol buffer."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A number, a string or bytes as ``text``; the ``fields`` of a nested message; both if it may be either."""

    number: int
    text: str
    fields: "list[_Field] | None" = None


def fields_text(data: bytes) -> str | None:
    """Return the fields of ``data``, one a line, nested messages in braces; None if it is no protocol buffer."""
    if not data:
        return None
    try:
        fields = _Reader().message(data, 0)
    except _NotProtobufError:
        return None
    return "\n".join(_lines(fields, ""))


def may_be_message(text: bytes) -> bool:
    """Tell whether bytes that are text without control characters are a message from end to end.

    In a message with fields 4 to 15, or with a field 1 of 9, 10, 13 or 32 to 126 bytes, every tag and length can be a
    printable character or a line break: the tag of field 1 is a line feed. A line of text hardly ever is a message, if
    the fields are in order and one of them has a length, as libraries write them. Numbers of fixed width are excluded:
    eight printable bytes are hardly ever one.
    """
    position = last_number = 0
    has_length = False
    try:
        while position < len(text):
            key, position = _varint(text, position)
            length, position = _varint(text, position)
            if key & 7 not in (0, 2) or not max(1, last_number) <= key >> 3 <= _MAX_NUMBER:
                return False
            last_number = key >> 3
            if key & 7 == 2:
                has_length = True
                position += length
    except _NotProtobufError:
        return False
    return has_length and position == len(text)


def _lines(fields: list[_Field], indent: str) -> Iterator[str]:
    for field in fields:
        if field.fields is None:
            yield f"{indent}{field.number}: {field.text}"
        else:
            either = f"{field.text} or " if field.text else ""
            yield f"{indent}{field.number}: {either}{{"
            yield from _lines(field.fields, indent + _INDENT)
            yield f"{indent}}}"


class _Reader:
    """Reads one payload. The limit counts every field that it reads, also in guesses that failed."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def message(self, data: bytes, depth: int) -> list[_Field]:
        fields, position = [], 0
        while position < len(data):
            self._left -= 1
            key, position = _varint(data, position)
            number = key >> 3
            if self._left < 0 or not 1 <= number <= _MAX_NUMBER:
                raise _NotProtobufError
            field, position = self._field(number, data, position, key & 7, depth)
            fields.append(field)
        return fields

    def _field(self, number: int, data: bytes, position: int, wire_type: int, depth: int) -> tuple[_Field, int]:
        match wire_type:
            case 0:
                value, position = _varint(data, position)
                return _Field(number, _whole_number(value)), position
            case 1:
                return _Field(number, _fixed(_cut(data, position, 8), "<Q", "<d")), position + 8
            case 2:
                length, position = _varint(data, position)
                return _Field(number, *self._guess(_cut(data, position, length), depth)), position + length
            case 5:
                return _Field(number, _fixed(_cut(data, position, 4), "<I", "<f")), position + 4
            case _:  # groups are deprecated, and current libraries do not write them
                raise _NotProtobufError

    def _guess(self, held: bytes, depth: int) -> tuple[str, list[_Field] | None]:
        """Read as text, as a nested message, or as both if it may be either; otherwise as bytes."""
        text = _text(held)
        if depth < MAX_DEPTH and (text is None or may_be_message(held)):
            try:
                return text or "", self.message(held, depth + 1)
            except _NotProtobufError:
                pass  # show them as text or bytes
        if text is not None:
            return text, None
        more = "…" if len(held) > _SHOWN_BYTES else ""
        return f"{len(held)} bytes {held[:_SHOWN_BYTES].hex(' ')}{more}", None


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for index, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number & (2**64 - 1), position + index + 1
    raise _NotProtobufError


def _cut(data: bytes, position: int, length: int) -> bytes:
    if position + length > len(data):
        raise _NotProtobufError
    return data[position : position + length]


def _whole_number(number: int) -> str:
    return str(number) if number < 2**63 else f"{number} (signed {number - 2**64})"


def _fixed(held: bytes, whole: str, floating: str) -> str:
    (number,), (fraction,) = struct.unpack(whole, held), struct.unpack(floating, held)
    return f"{number} (floating {fraction:g})" if math.isfinite(fraction) and fraction else str(number)


def _text(held: bytes) -> str | None:
    try:
        text = held.decode()
    except UnicodeDecodeError:
        return None
    if _CONTROL.search(text):
        return None
    return visible(json.dumps(text, ensure_ascii=False))
