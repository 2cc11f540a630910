"""Write operations as a JSON Patch (RFC 6902), with JSON Pointers (RFC 6901) and exact numbers. Pure and bounded."""

import json
from collections.abc import Iterator

from infra.messages.compare.json_diff import Operation, Path
from infra.messages.compare.json_values import Json, Masked, Repeated, pieces

MAX_PATCH_CHARACTERS = 4_000_000


class NoPatchError(ValueError):
    """The operations cannot be written as a JSON Patch; the text says why."""


def pointer(path: Path) -> str:
    """Write a path as a JSON Pointer; the whole document is ``""``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def patch_text(operations: list[Operation], a: Json, b: Json) -> str:
    """Write the patch that turns ``a`` into ``b``. Raises NoPatchError."""
    special = {type(found) for value in (a, b) for found in _walk(value)}
    if Masked in special:
        raise NoPatchError("A payload has fields that are masked for your role.")
    if Repeated in special:
        raise NoPatchError("A name occurs more than once in an object, and a JSON Patch cannot address it.")
    written: list[str] = []
    length = 0
    for operation in operations:
        if length + sum(len(step) for step in operation.path if isinstance(step, str)) > MAX_PATCH_CHARACTERS:
            raise NoPatchError("The JSON Patch would be longer than 4 MB.")
        written.append(_line(operation))
        length += len(written[-1])
    return "[" + ",\n ".join(written) + "]\n"


def _line(operation: Operation) -> str:
    place = json.dumps(pointer(operation.path))
    value = "" if operation.kind == "remove" else f', "value": {"".join(pieces(operation.new))}'
    return f'{{"op": "{operation.kind}", "path": {place}{value}}}'


def _walk(value: Json) -> Iterator[Json]:
    """Yield each object and array below a value, and what JSON has no form for."""
    waiting: list[Json] = [value]
    while waiting:
        found = waiting.pop()
        yield found
        if isinstance(found, dict | list):
            below = found.values() if isinstance(found, dict) else found
            waiting += [one for one in below if isinstance(one, dict | list | Repeated | Masked)]
