"""Server-Sent Events: the one encoder, and the parser of the position a client comes back with.

Pure: values in, bytes or values out. A frame can never be broken by what a publisher wrote: its data is one line of
ASCII JSON (a lone CR ends a line: html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.messages.cursor import Cursor

CONTENT_TYPE = "text/event-stream"
# A comment keeps what stands in between from closing; only an event tells the page that the connection is alive.
KEEP_ALIVE = b":\nevent: pulse\ndata: {}\n\n"

_NAME = re.compile(r"[a-z]+")
_ID = re.compile(r"[0-9A-Za-z_.:-]+")


def event(name: str, data: Mapping[str, object], event_id: str = "") -> bytes:
    """One frame. ``name`` is lower-case letters, ``event_id`` empty or of ``[0-9A-Za-z_.:-]``.

    Raises ValueError for another name or id, or for NaN and Infinity, which JavaScript's JSON refuses.
    """
    return head(event_id) + body(name, data)


def head(event_id: str) -> bytes:
    """The first line of a frame; nothing without an id. What differs while ``body`` stays is joined by the caller."""
    if not event_id:
        return b""
    if not _ID.fullmatch(event_id):
        raise ValueError(f"an event's id is of [0-9A-Za-z_.:-], not {event_id!r}")
    return f"id: {event_id}\n".encode()


def body(name: str, data: Mapping[str, object]) -> bytes:
    """The rest of a frame. Raises ValueError as ``event`` does."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"an event's name is lower-case letters, not {name!r}")
    line = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"event: {name}\ndata: {line}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """How long a browser waits before it comes back."""
    return f"retry: {milliseconds}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a client stands. No ``cursor`` is a page without messages; not ``known`` means it must start over."""

    cursor: Cursor | None
    known: bool = True


def parse_position(last_event_id: str, after: str) -> Position:
    """The position of a client that sent ``Last-Event-ID`` (it wins) or ``?after=``; empty means not sent.

    Never raises: what is no cursor is an unknown position.
    """
    text = last_event_id or after
    if not text:
        return Position(None)
    try:
        return Position(Cursor.parse(text))
    except ValueError:
        return Position(None, known=False)
