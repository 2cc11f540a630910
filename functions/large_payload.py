"""Cuts a large base64 payload out of a push body before parsing the JSON, so that the parser skips megabytes. Pure."""

import re
from typing import Any

import pybase64

from infra.strict_json import StrictJsonError, parse_object

# Below this length, parsing costs less than cutting.
MIN_BYTES = 4 * 1024
PLACEHOLDER = "the payload was here; this is not base64"
_DATA = re.compile(rb'"data"[ \t\r\n]*:[ \t\r\n]*"')


def parse_large_push(body: bytes | bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Return the envelope with ``PLACEHOLDER`` as its data, and the decoded payload.

    Returns None if the payload is short or anything looks unusual; the caller then parses the whole body, which reports
    the error.
    """
    span = _payload_span(body) if len(body) > MIN_BYTES else None
    if span is None:
        return None
    start, end = span
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
    # Canonical base64 only, as for short payloads (RFC 4648, section 3.5).
    return (envelope, payload) if pybase64.b64encode(payload) == encoded else None


def _payload_span(body: bytes | bytearray) -> tuple[int, int] | None:
    """Return start and end of the first long string under the name ``data``."""
    for match in _DATA.finditer(body):
        end = body.find(b'"', match.end())
        if end - match.end() >= MIN_BYTES:
            return match.end(), end
    return None
