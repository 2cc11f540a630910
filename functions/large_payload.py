"""Cuts a large base64 payload out of a push body before parsing the JSON, so that the parser skips megabytes. Pure."""

import re
from typing import Any

import pybase64

from infra.strict_json import GAP, StrictJsonError, parse_object_with_gap

# Below this length, parsing costs less than cutting.
MIN_BYTES = 4 * 1024
_DATA = re.compile(rb'"data"[ \t\r\n]*:[ \t\r\n]*"')


def parse_large_push(body: bytes | bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Return the envelope without ``message.data``, and the decoded payload.

    Returns None if the payload is short or anything looks unusual; the caller then parses the whole body, which reports
    the error.
    """
    span = _payload_span(body) if len(body) > MIN_BYTES else None
    if span is None:
        return None
    start, end = span
    encoded = bytes(memoryview(body)[start:end])
    rest = body[: start - 1] + GAP + body[end + 1 :]
    try:
        payload = pybase64.b64decode(encoded, validate=True)
        envelope, gap = parse_object_with_gap(rest)
    except (ValueError, StrictJsonError):
        return None
    message = envelope.get("message")
    # The parser says where the gap is: a mark in the text could be written a second time, or as escapes.
    if not isinstance(message, dict) or message.get("data") is not gap:
        return None
    del message["data"]
    # Canonical base64 only, as for short payloads (RFC 4648, section 3.5).
    return (envelope, payload) if pybase64.b64encode(payload) == encoded else None


def _payload_span(body: bytes | bytearray) -> tuple[int, int] | None:
    """Return where the content of the first long string under the name ``data`` starts and ends, without its quotes."""
    for match in _DATA.finditer(body):
        end = body.find(b'"', match.end())
        if end - match.end() >= MIN_BYTES:
            return match.end(), end
    return None
