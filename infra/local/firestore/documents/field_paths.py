"""Field paths: parse their text, and read, write and delete the value at a path.

``a.b`` is a path of two names; a name that is not a plain identifier is quoted with backticks, in which a backslash
escapes a backtick or a backslash (``google.firestore.v1.StructuredQuery.FieldReference``).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Document, Pb

FieldPath = tuple[str, ...]
NAME: FieldPath = ("__name__",)

_PART = re.compile(r"(?:([a-zA-Z_][a-zA-Z_0-9]*)|`((?:[^`\\]|\\.)+)`)(\.|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=4096)
def parse_path(text: str) -> FieldPath:
    """Parse ``a.`b.c`.d``; raises INVALID_ARGUMENT with the text for any other text."""
    parts: list[str] = []
    position = 0
    ended = False
    while not ended:
        found = _PART.match(text, position)
        if not found:
            raise invalid_argument(f"Invalid field path {text!r}; quote names that are not identifiers with backticks.")
        parts.append(found.group(1) or _ESCAPED.sub(r"\1", found.group(2)))
        position = found.end()
        ended = found.group(3) == ""
    return tuple(parts)


def read(fields: Pb, path: FieldPath) -> Pb | None:
    """Return the value at ``path`` in a map of fields; None when there is none."""
    # Reading a missing key of a protobuf map by index creates the key.
    for name in path[:-1]:
        value = fields.get(name)
        if value is None or not value.HasField("map_value"):
            return None
        fields = value.map_value.fields
    return fields.get(path[-1])


def write(fields: Pb, path: FieldPath, value: Pb) -> None:
    """Set the value at ``path``; replace values on the way by maps."""
    for name in path[:-1]:
        fields = _map_at(fields, name)
    fields[path[-1]].CopyFrom(value)


def _map_at(fields: Pb, name: str) -> Pb:
    child = fields[name]
    if not child.HasField("map_value"):
        child.map_value.SetInParent()
    return child.map_value.fields


def delete(fields: Pb, path: FieldPath) -> None:
    """Remove the value at ``path``, if any; keep the maps around it."""
    for name in path[:-1]:
        if name not in fields or not fields[name].HasField("map_value"):
            return
        fields = fields[name].map_value.fields
    if path[-1] in fields:
        del fields[path[-1]]


def project(document: Pb, paths: Iterable[FieldPath]) -> Pb:
    """Return a copy of ``document`` with the fields of ``paths`` only; ``__name__`` adds no field."""
    chosen = Document(name=document.name)
    chosen.create_time.CopyFrom(document.create_time)
    chosen.update_time.CopyFrom(document.update_time)
    for path, value in _present(document, paths):
        write(chosen.fields, path, value)
    return chosen


def _present(document: Pb, paths: Iterable[FieldPath]) -> Iterator[tuple[FieldPath, Pb]]:
    for path in paths:
        value = read(document.fields, path)
        if value is not None:
            yield path, value
