"""Read JSON payloads with each value as the text that was sent: an index must not round 0.10 or a 20-digit id. Pure."""

import json
from collections.abc import Iterator

import msgspec

# A longer scalar cannot be an index token (500 bytes), even if each character is written as an escape of six bytes.
_MAX_SCALAR_BYTES = 4_000
# Validates the whole text but builds only the top level: for 100 KB that costs a tenth of a full parse.
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANYTHING = msgspec.json.Decoder(msgspec.Raw)
# A reader may ignore it before JSON (RFC 8259, section 8.1); in front of other text it is a character.
BYTE_ORDER_MARK = "\ufeff"
_WORDS = {b"null": "null", b"true": "true", b"false": "false"}


def top_scalars(data: bytes, text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the top-level scalars of a JSON object as text; none for an array; None when ``data`` is neither.

    ``text`` is ``data`` decoded. A scalar too long for the index may be missing. A byte order mark is ignored.
    """
    if text.startswith(BYTE_ORDER_MARK):
        data, text = data[len(BYTE_ORDER_MARK.encode()) :], text[1:]
    first = text.lstrip(" \t\r\n")[:1]
    try:
        if first == "[":
            _ANYTHING.decode(data)
            return ()
        if first == "{":
            return tuple(_short_scalars(_MEMBERS.decode(data)))
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # msgspec rejects some valid JSON, for example an escape of half a surrogate pair; Python's parser accepts it.
        parsed = parse_json(text)
        return None if parsed is None else tuple(_scalars(parsed))


def _short_scalars(members: dict[str, msgspec.Raw]) -> Iterator[tuple[str, str]]:
    for key, raw in members.items():
        if len(raw) > _MAX_SCALAR_BYTES:
            continue
        value = bytes(raw).strip()
        if value[:1] == b'"':
            yield key, json.loads(value)
        elif value in _WORDS:
            yield key, _WORDS[value]
        elif value[:1] not in (b"{", b"["):
            yield key, value.decode()


def parse_json(text: str) -> dict[str, object] | list[object] | None:
    """Parse a JSON object or array, with numbers as text; None when ``text`` is neither. Ignores a byte order mark."""
    try:
        parsed = _DECODER.decode(text.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) else None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def _scalars(parsed: dict[str, object] | list[object]) -> Iterator[tuple[str, str]]:
    if not isinstance(parsed, dict):
        return
    for key, value in parsed.items():
        if isinstance(value, str):
            yield key, value
        elif value is None:
            yield key, "null"
        elif isinstance(value, bool):
            yield key, "true" if value else "false"
