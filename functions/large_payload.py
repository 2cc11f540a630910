"""A long payload, taken out of a push before its JSON is parsed, which would go through every character of it. Pure."""

import re
from typing import Any

import pybase64

from functions.strict_json import StrictJsonError, parse_object

# Shorter ones cost less than this does.
MIN_BYTES = 4 * 1024
PLACEHOLDER = "a payload stood here; no base64 is written like this"
_DATA = re.compile(rb'"data"[ \t\r\n]*:[ \t\r\n]*"')


def parse_large_push(body: bytes | bytearray) -> tuple[dict[str, Any], bytes] | None:
    """The envelope with ``PLACEHOLDER`` for its data, and the payload.

    None unless everything is as it should be: what is wrong, if anything, is for a look at the whole to say.
    """
    place = _place(body) if len(body) > MIN_BYTES else None
    if place is None:
        return None
    start, end = place
    encoded = bytes(memoryview(body)[start:end])
    rest = body[:start] + PLACEHOLDER.encode() + body[end:]
    try:
        payload = pybase64.b64decode(encoded, validate=True)
        envelope = parse_object(rest)
    except (ValueError, StrictJsonError):
        return None
    message = envelope.get("message")
    if not isinstance(message, dict) or message.get("data") != PLACEHOLDER or rest.count(PLACEHOLDER.encode()) != 1:
        return None
    # One text for one payload, as for short ones (RFC 4648, section 3.5).
    return (envelope, payload) if pybase64.b64encode(payload) == encoded else None


def _place(body: bytes | bytearray) -> tuple[int, int] | None:
    """Where the first long text under the name ``data`` begins and ends."""
    for found in _DATA.finditer(body):
        end = body.find(b'"', found.end())
        if end - found.end() >= MIN_BYTES:
            return found.end(), end
    return None
