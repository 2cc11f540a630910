"""The parts of the protobuf wire format and of msgpack that terraform's plugin protocol 6 needs. Pure.

protobuf.dev/programming-guides/encoding, github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
"""

import json
from collections.abc import Sequence
from typing import Any

import msgpack

# A value that terraform learns only when the resource is applied.
UNKNOWN = msgpack.ExtType(0, b"\0")
Message = dict[int, Any]


def varint(number: int) -> bytes:
    """Encode an unsigned integer."""
    low = bytearray()
    while number > 0x7F:
        low.append(number & 0x7F | 0x80)
        number >>= 7
    low.append(number)
    return bytes(low)


def field(number: int, value: int | bool | bytes | str | None) -> bytes:
    """Encode one field. A default of proto3 (0, false, empty, None) is left out."""
    if not value:
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(int(value))
    return message(number, value.encode() if isinstance(value, str) else value)


def message(number: int, body: bytes) -> bytes:
    """Encode a submessage that is present even when it is empty."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def decode(raw: bytes) -> Message:
    """Decode a message to its fields by number; of a repeated field the last value."""
    fields: Message = {}
    at = 0
    while at < len(raw):
        key, at = _read_varint(raw, at)
        number, at = _read_varint(raw, at)
        if key & 7:  # not an integer: ``number`` is a length
            fields[key >> 3], at = raw[at : at + number], at + number
        else:
            fields[key >> 3] = number
    return fields


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = raw[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def dynamic_value(request: Message, number: int) -> Any:
    """Read a DynamicValue (msgpack or JSON); None if it is null or absent."""
    encoded = decode(request.get(number, b""))
    if encoded.get(1):
        return msgpack.unpackb(encoded[1], raw=False, strict_map_key=False)
    return json.loads(encoded[2]) if encoded.get(2) else None


def pack(value: Any) -> bytes:
    """Write a DynamicValue."""
    return field(1, msgpack.packb(value, use_bin_type=True))


def diagnostic(summary: str, detail: str = "", path: Sequence[str | int] = ()) -> bytes:
    """Write an error about the attribute at ``path`` (names, and positions in lists)."""
    steps = b"".join(field(1, _position(step) if isinstance(step, int) else field(1, step)) for step in path)
    return field(1, 1) + field(2, summary) + field(3, detail) + field(4, steps)


def _position(step: int) -> bytes:
    # The first position is 0, which is a value here and not a default.
    return varint(3 << 3) + varint(step)
