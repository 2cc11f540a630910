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
# Text rarely has control characters; a nested message nearly always has them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _NotProtobufError(Exception):
    """The bytes are no protocol buffer."""


@dataclass(frozen=True, slots=True)
class _Field:
    """``value`` is the text of a number, a string or bytes, or the fields of a nested message."""

    number: int
    value: "str | list[_Field]"


def fields_text(data: bytes) -> str | None:
    """Return the fields of ``data``, one a line, nested messages in braces; None if it is no protocol buffer."""
    if not data:
        return None
    try:
        fields = _Reader().message(data, 0)
    except _NotProtobufError:
        return None
    return "\n".join(_lines(fields, ""))


def _lines(fields: list[_Field], indent: str) -> Iterator[str]:
    for field in fields:
        if isinstance(field.value, str):
            yield f"{indent}{field.number}: {field.value}"
        else:
            yield f"{indent}{field.number}: {{"
            yield from _lines(field.value, indent + _INDENT)
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
            value, position = self._value(data, position, key & 7, depth)
            fields.append(_Field(number, value))
        return fields

    def _value(self, data: bytes, position: int, wire_type: int, depth: int) -> tuple[str | list[_Field], int]:
        match wire_type:
            case 0:
                number, position = _varint(data, position)
                return _whole_number(number), position
            case 1:
                return _fixed(_cut(data, position, 8), "<Q", "<d"), position + 8
            case 2:
                length, position = _varint(data, position)
                return self._guess(_cut(data, position, length), depth), position + length
            case 5:
                return _fixed(_cut(data, position, 4), "<I", "<f"), position + 4
            case _:  # groups are deprecated, and current libraries do not write them
                raise _NotProtobufError

    def _guess(self, held: bytes, depth: int) -> str | list[_Field]:
        """Read as text if possible, else as a nested message, else as bytes."""
        text = _text(held)
        if text is not None:
            return text
        if depth < MAX_DEPTH:
            try:
                return self.message(held, depth + 1)
            except _NotProtobufError:
                pass  # show them as bytes
        more = "…" if len(held) > _SHOWN_BYTES else ""
        return f"{len(held)} bytes {held[:_SHOWN_BYTES].hex(' ')}{more}"


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
