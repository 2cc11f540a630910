"""Server-Sent Events: the encoder, and the parser of the position with which a client reconnects.

Pure: values in, bytes or values out. A publisher's text cannot break a frame: the data is one line of ASCII JSON (a
lone CR would end a line: html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.messages.cursor import Cursor

CONTENT_TYPE = "text/event-stream"
# The comment keeps proxies from closing an idle connection; only an event tells the page that the connection works.
# Proxies close a connection that is silent for longer.
KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b":\nevent: pulse\ndata: {}\n\n"

_NAME = re.compile(r"[a-z]+")
_ID = re.compile(r"[0-9A-Za-z_.:-]+")


def event(name: str, data: Mapping[str, object], event_id: str = "") -> bytes:
    """Encode one frame. ``name`` is of lower-case letters, ``event_id`` empty or of ``[0-9A-Za-z_.:-]``.

    Raises ValueError for any other name or id, and for NaN and Infinity, which JavaScript's JSON does not accept.
    """
    return head(event_id) + body(name, data)


def head(event_id: str) -> bytes:
    """Encode the first line of a frame; b"" without an id. Callers that cache ``body`` put it before each copy."""
    if not event_id:
        return b""
    if not _ID.fullmatch(event_id):
        raise ValueError(f"an event's id is of [0-9A-Za-z_.:-], not {event_id!r}")
    return f"id: {event_id}\n".encode()


def body(name: str, data: Mapping[str, object]) -> bytes:
    """Encode the rest of a frame. Raises ValueError as ``event`` does."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"an event's name is lower-case letters, not {name!r}")
    line = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"event: {name}\ndata: {line}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """Encode the time that a browser waits before it reconnects."""
    return f"retry: {milliseconds}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Position:
    """The last message that a client has. ``cursor`` is None for an empty page; if not ``known``, it starts over."""

    cursor: Cursor | None
    known: bool = True


def parse_position(last_event_id: str, after: str) -> Position:
    """Return the position sent as ``Last-Event-ID`` (it wins) or ``?after=``; empty means not sent.

    Never raises: a text that is no cursor gives an unknown position.
    """
    text = last_event_id or after
    if not text:
        return Position(None)
    try:
        return Position(Cursor.parse(text))
    except ValueError:
        return Position(None, known=False)
