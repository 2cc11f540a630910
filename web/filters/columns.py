"""Columns that people choose: attributes and JSON fields of messages as cells of the list. Pure.

A name means what it means in a filter: an attribute, or after ``data.`` a field of the JSON payload, however deep.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from infra.errors import InputError
from infra.messages.json_scalars import parse_json
from infra.messages.message import MAX_PARSED_BYTES, Message
from infra.query.json_paths import texts_at
from web.formats import short

MOST_COLUMNS = 8
MOST_NAME_CHARACTERS = 300
MOST_OFFERED = 30
# What a cell shows, and what is in its title; the message itself has the rest.
_CELL_CHARACTERS = 60
_WHOLE_CHARACTERS = 500
_HEAD_CHARACTERS = 16
# Of `items.*.id` a cell joins so many.
_MOST_VALUES = 10
_BETWEEN = " · "
# Names are offered from so much of a payload.
_OFFERED_BYTES = 8 * 1024
_OFFERED_FIELDS = 60
_OFFERED_DEPTH = 3
_MOST_CHARACTERS = 3_000
_ONE = re.compile(r'(?:\s*"((?:[^"]|"")*)"\s*|([^",]*))(,|\Z)')
_NEEDS_QUOTES = re.compile(r'[",]|^\s|\s$')

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as sent, cut to what a cell shows. ``title`` is more of it, or why there is nothing."""

    name: str
    text: str = ""
    title: str = ""
    is_empty: bool = False


def parse_columns(texts: Iterable[str]) -> Columns:
    """The columns in ``type,data.user.id``; a name with a comma or a quote stands in double quotes, a quote doubled.

    Each name once, in the order given. Raises InputError (400).
    """
    found = dict.fromkeys(name for text in texts for name in _names(text) if name)
    if len(found) > MOST_COLUMNS:
        raise InputError("columns", f"are at most {MOST_COLUMNS}; found {len(found)}.")
    for name in found:
        if len(name) > MOST_NAME_CHARACTERS:
            raise InputError("columns", f"have names of at most {MOST_NAME_CHARACTERS} characters; found {len(name)}.")
    return tuple(found)


def columns_text(columns: Columns) -> str:
    """What ``parse_columns`` reads back."""
    return ",".join(_quoted(name) for name in columns)


def cells(message: Message, columns: Columns) -> tuple[Cell, ...]:
    """The cells of a message, from what its head document holds."""
    return tuple(_cell(message, name) for name in columns)


def value(message: Message, name: str) -> str | None:
    """The value of one column as sent, as far as the head document holds it; None when there is none.

    Of many values the first ten, and a sign that there are more.
    """
    attribute = message.attributes.get(name)
    if attribute is not None:
        return attribute
    texts = _known(message, name) if message.data is None else _texts(message.data, name)
    more = ["…"] if len(texts) > _MOST_VALUES else []
    return _BETWEEN.join([*texts[:_MOST_VALUES], *more]) if texts else None


def whole_value(message: Message, payload: bytes, name: str) -> str | None:
    """The value of one column, uncut, from the whole payload; None when there is none.

    Of JSON beyond 1 MiB, which nobody parses here, it is what the index knows.
    """
    attribute = message.attributes.get(name)
    if attribute is not None:
        return attribute
    texts = _texts(payload, name) if len(payload) <= MAX_PARSED_BYTES else _known(message, name)
    return _BETWEEN.join(texts) if texts else None


def offered(messages: Sequence[Message], chosen: Columns) -> tuple[str, ...]:
    """Names worth a column: those chosen, then those that most of these messages have."""
    counted = Counter(name for message in messages for name in _offered_by(message))
    usual = sorted(counted, key=lambda name: (-counted[name], len(name), name))
    return tuple(islice(dict.fromkeys([*chosen, *usual]), MOST_OFFERED))


def heading(name: str) -> str:
    """A column's name as its head shows it: of a long path the last step, which tells it from the others."""
    last = name.rpartition(".")[2]
    return short(name if len(name) <= _HEAD_CHARACTERS or not last else f"…{last}", 40)


def _names(text: str) -> Iterator[str]:
    if len(text) > _MOST_CHARACTERS:
        raise InputError("columns", f"have at most {_MOST_CHARACTERS:,} characters.")
    position = 0
    while position <= len(text):
        found = _ONE.match(text, position)
        if not found:
            raise InputError("columns", f"cannot be read from {text[position : position + 40]!r} on: a quote is wrong.")
        yield found[2].strip() if found[1] is None else found[1].replace('""', '"')
        position = found.end() if found[3] else len(text) + 1


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name


def _cell(message: Message, name: str) -> Cell:
    found = value(message, name)
    if found is None:
        return Cell(name, title=_why_nothing(message, name))
    shown = short(found, _CELL_CHARACTERS)
    return Cell(name, shown, short(found, _WHOLE_CHARACTERS), is_empty=not found)


def _why_nothing(message: Message, name: str) -> str:
    if not name.startswith("data."):
        return ""
    if message.data is None:
        return "The payload is over 16 KiB: the list knows its short top-level fields alone. Open the message."
    below = next(texts_at(message.data, name.removeprefix("data.") + ".*"), None)
    return "" if below is None else f"There are fields below: {short(name, 60)}.…"


def _texts(payload: bytes, name: str) -> list[str]:
    if not name.startswith("data."):
        return []
    # The last of several is found first.
    return list(texts_at(payload, name.removeprefix("data.")))[::-1]


def _known(message: Message, name: str) -> list[str]:
    """What the index holds of a payload that the head does not."""
    if not name.startswith("data."):
        return []
    return [token[len(name) + 1 :] for token in message.tokens if token.startswith(f"{name}=")][:1]


def _offered_by(message: Message) -> set[str]:
    names = set(message.attributes)
    if message.data is None:
        names.update(token.partition("=")[0] for token in message.tokens if token.startswith("data."))
    elif message.kind == "json" and len(message.data) <= _OFFERED_BYTES:
        names.update(islice(_fields(parse_json(message.data.decode(errors="replace"))), _OFFERED_FIELDS))
    # A form writes every line break as CR LF, which would be another name (html.spec.whatwg.org, "normalize newlines").
    return {name for name in names if name.strip() and name.isprintable() and len(name) <= MOST_NAME_CHARACTERS}


def _fields(root: object) -> Iterator[str]:
    """The paths of a JSON object's scalars, those nearest to the root first."""
    level = [("data", root)]
    for _ in range(_OFFERED_DEPTH):
        objects = [(path, node) for path, node in level if isinstance(node, dict)]
        level = [(f"{path}.{name}", child) for path, node in objects for name, child in node.items()]
        yield from (path for path, child in level if not isinstance(child, dict | list))
