"""JSON as values that can be compared: numbers by their exact text, names in order, repeated names kept. Pure.

A number is ``bytes``, its text: so ``1``, ``1.0``, ``"1"`` and ``true`` are four values, and Python's ``==`` tells them
apart at any depth. An object is a dict sorted by name, so that equal objects have the same ``repr``.
"""

import json
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from infra.messages.json_scalars import BYTE_ORDER_MARK


class Repeated(NamedTuple):
    """The values of a name that occurs more than once in an object (RFC 8259 leaves open which one counts)."""

    values: tuple["Json", ...]


class Masked:
    """A value that the reader must not see. It equals no other one, so no comparison tells whether two are equal."""

    __slots__ = ()


Json: TypeAlias = bool | bytes | str | list["Json"] | dict[str, "Json"] | Repeated | Masked | None

# Larger objects are not sorted; as items of an array they are then aligned less well.
_MAX_SORTED = 1_000
_name = itemgetter(0)


def parse(text: str) -> dict[str, Json] | list[Json] | None:
    """Parse a JSON object or array; None when ``text`` is neither. Ignores a byte order mark."""
    try:
        parsed = _DECODER.decode(text.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) else None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if 1 < len(pairs) <= _MAX_SORTED:
        pairs.sort(key=_name)
    made = dict(pairs)
    return made if len(made) == len(pairs) else _with_repeated(pairs)


def _with_repeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values: dict[str, list[Json]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else Repeated(tuple(found)) for name, found in values.items()}


def with_masked(value: dict[str, Json] | list[Json], hidden: str) -> None:
    """Replace, in place, each string ``hidden`` by a value that equals no other one."""
    waiting: list[dict[str, Json] | list[Json]] = [value]
    while waiting:
        container = waiting.pop()
        items = list(container.items()) if isinstance(container, dict) else enumerate(container)
        for place, item in items:
            if item == hidden or (isinstance(item, Repeated) and hidden in repr(item)):
                container[place] = Masked()  # type: ignore[index]
            elif isinstance(item, dict | list):
                waiting.append(item)


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str.encode, parse_float=str.encode, parse_constant=_refuse
)


def pieces(value: Json) -> Iterator[str]:
    """Yield the compact JSON text of a value in pieces, without recursion. Repeated values are joined by ``, then``."""
    open_values: list[Iterator[str | _Nested]] = [iter([_Nested(value)])]
    while open_values:
        piece = next(open_values[-1], None)
        if piece is None:
            open_values.pop()
        elif isinstance(piece, str):
            yield piece
        else:
            open_values.append(_parts(piece.value))


def text_of(value: Json, max_characters: int) -> str:
    """Return the compact JSON text of a value; a longer one ends with ``…`` after ``max_characters``."""
    written: list[str] = []
    length = 0
    for piece in pieces(value):
        written.append(piece)
        length += len(piece)
        if length > max_characters:
            return "".join(written)[: max_characters - 1] + "…"
    return "".join(written)


class _Nested(NamedTuple):
    value: Json


def _parts(value: Json) -> Iterator["str | _Nested"]:
    match value:
        case dict():
            yield "{"
            for number, (name, member) in enumerate(value.items()):
                yield f"{', ' if number else ''}{_string(name)}: "
                yield _Nested(member)
            yield "}"
        case list():
            yield "["
            yield from _joined(value, ", ")
            yield "]"
        case Repeated():
            yield from _joined(value.values, ", then ")
        case bytes():
            yield value.decode()
        case str():
            yield _string(value)
        case Masked():
            yield "•••"
        case _:
            yield "null" if value is None else str(value).lower()


def _joined(values: "list[Json] | tuple[Json, ...]", between: str) -> Iterator["str | _Nested"]:
    for number, value in enumerate(values):
        if number:
            yield between
        yield _Nested(value)


def _string(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    # Half a surrogate pair has no UTF-8, so it stays an escape.
    return written if written.isascii() or not any("\ud800" <= one <= "\udfff" for one in text) else json.dumps(text)
