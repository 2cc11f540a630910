"""Columns that people choose: attributes and JSON fields of messages as cells of the list. Pure.

A name is written as in a filter: an attribute, or after ``data.`` a field of the JSON payload, at any depth.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from infra.errors import InputError
from infra.messages.json_scalars import parse_json
from infra.messages.message import MAX_PARSED_BYTES, Message
from infra.messages.visible_text import is_visible
from infra.query.json_paths import texts_at
from web.formats import short

MAX_COLUMNS = 8
MAX_NAME_CHARACTERS = 300
MAX_OFFERED = 30
# Lengths of a cell's text and of its title; the message's page has the whole value.
_CELL_CHARACTERS = 60
_WHOLE_CHARACTERS = 500
_HEAD_CHARACTERS = 16
# A cell joins at most this many values, for example of `items.*.id`.
_MAX_VALUES = 10
_BETWEEN = " · "
# Limits for the part of a payload from which names are offered.
_OFFERED_BYTES = 8 * 1024
_OFFERED_FIELDS = 60
_OFFERED_DEPTH = 3
_MAX_CHARACTERS = 3_000
_ONE = re.compile(r'(?:\s*"((?:[^"]|"")*)"\s*|([^",]*))(,|\Z)')
_NEEDS_QUOTES = re.compile(r'[",]|^\s|\s$')

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as sent, cut to the length of a cell. ``title`` has more of it, or says why it is empty."""

    name: str
    text: str = ""
    title: str = ""
    is_empty: bool = False


def parse_columns(texts: Iterable[str]) -> Columns:
    """Parse ``type,data.user.id``; a name with a comma or a quote is written in double quotes, its quotes doubled.

    Keeps each name once, in the given order. Raises InputError (400).
    """
    names = dict.fromkeys(name for text in texts for name in _names(text) if name)
    if len(names) > MAX_COLUMNS:
        raise InputError("columns", f"are at most {MAX_COLUMNS}; found {len(names)}.")
    for name in names:
        if len(name) > MAX_NAME_CHARACTERS:
            raise InputError("columns", f"have names of at most {MAX_NAME_CHARACTERS} characters; found {len(name)}.")
    return tuple(names)


def columns_text(columns: Columns) -> str:
    """Write ``columns`` as ``parse_columns`` reads them."""
    return ",".join(_quoted(name) for name in columns)


def cells(message: Message, columns: Columns) -> tuple[Cell, ...]:
    """Return the cells of a message, from its head document."""
    return tuple(_cell(message, name) for name in columns)


def values(message: Message, name: str) -> list[str]:
    """Return the values of one column as sent, from the head document: one of an attribute, perhaps many of a path."""
    attribute = message.attributes.get(name)
    if attribute is not None:
        return [attribute]
    return _known(message, name) if message.data is None else _texts(message.data, name)


def value(message: Message, name: str) -> str | None:
    """Return the value of one column as sent, from the head document; None when there is none.

    Of several values it joins the first ten, with "…" for more.
    """
    texts = values(message, name)
    more = ["…"] if len(texts) > _MAX_VALUES else []
    return _BETWEEN.join([*texts[:_MAX_VALUES], *more]) if texts else None


def whole_value(message: Message, payload: bytes | None, name: str) -> str | None:
    """Return the uncut value of one column from the whole payload; None when there is none.

    JSON over 1 MiB is not parsed; its value comes from the index tokens, also if ``payload`` is None.
    """
    attribute = message.attributes.get(name)
    if attribute is not None:
        return attribute
    is_parsed = payload is not None and len(payload) <= MAX_PARSED_BYTES
    texts = _texts(payload, name) if payload is not None and is_parsed else _known(message, name)
    return _BETWEEN.join(texts) if texts else None


def offered(messages: Sequence[Message], chosen: Columns) -> tuple[str, ...]:
    """Return names to offer as columns: the chosen ones, then the most frequent ones in ``messages``."""
    counted = Counter(name for message in messages for name in _offered_by(message))
    usual = sorted(counted, key=lambda name: (-counted[name], len(name), name))
    return tuple(islice(dict.fromkeys([*chosen, *usual]), MAX_OFFERED))


def heading(name: str) -> str:
    """Return a column's heading: the name, or the last step of a long path."""
    last = name.rpartition(".")[2]
    return short(name if len(name) <= _HEAD_CHARACTERS or not last else f"…{last}", 40)


def _names(text: str) -> Iterator[str]:
    if len(text) > _MAX_CHARACTERS:
        raise InputError("columns", f"have at most {_MAX_CHARACTERS:,} characters.")
    position = 0
    while position <= len(text):
        match = _ONE.match(text, position)
        if not match:
            raise InputError(
                "columns",
                f"cannot be read from {text[position : position + 40]!r} on: check its quotes.",
            )
        yield match[2].strip() if match[1] is None else match[1].replace('""', '"')
        position = match.end() if match[3] else len(text) + 1


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name


def _cell(message: Message, name: str) -> Cell:
    text = value(message, name)
    if text is None:
        return Cell(name, title=_why_nothing(message, name))
    return Cell(name, short(text, _CELL_CHARACTERS), short(text, _WHOLE_CHARACTERS), is_empty=not text)


def _why_nothing(message: Message, name: str) -> str:
    if not name.startswith("data."):
        return ""
    if message.data is None:
        return "The payload is over 16 KiB: the list has only its short top-level fields. Open the message."
    below = next(texts_at(message.data, name.removeprefix("data.") + ".*"), None)
    return "" if below is None else f"It contains other fields: {short(name, 60)}.…"


def _texts(payload: bytes, name: str) -> list[str]:
    if not name.startswith("data."):
        return []
    # texts_at yields the last of several values first.
    return list(texts_at(payload, name.removeprefix("data.")))[::-1]


def _known(message: Message, name: str) -> list[str]:
    """Return the index's value of a payload that is not in the head document."""
    if not name.startswith("data."):
        return []
    return [token[len(name) + 1 :] for token in message.tokens if token.startswith(f"{name}=")][:1]


def _offered_by(message: Message) -> set[str]:
    names = set(message.attributes)
    if message.data is None:
        names.update(token.partition("=")[0] for token in message.tokens if token.startswith("data."))
    elif message.kind == "json" and len(message.data) <= _OFFERED_BYTES:
        names.update(islice(_fields(parse_json(message.data.decode(errors="replace"))), _OFFERED_FIELDS))
    # Forms send every line break as CR LF, which would be another name (html.spec.whatwg.org, "normalize newlines").
    return {name for name in names if name.strip() and is_visible(name) and len(name) <= MAX_NAME_CHARACTERS}


def _fields(root: object) -> Iterator[str]:
    """Yield the paths of a JSON object's scalars, those nearest to the root first."""
    level = [("data", root)]
    for _ in range(_OFFERED_DEPTH):
        objects = [(path, node) for path, node in level if isinstance(node, dict)]
        level = [(f"{path}.{name}", child) for path, node in objects for name, child in node.items()]
        yield from (path for path, child in level if not isinstance(child, dict | list))
