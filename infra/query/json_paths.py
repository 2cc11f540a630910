"""Read fields of a JSON payload by path: ``user.id``, ``items.0.id``, ``items.*.id``, ``0.id`` of an array. Pure.

A step is a member's name (which may itself hold dots), a position in an array, or ``*`` for any member or element.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from infra.messages.json_scalars import parse_json

# Several terms and several streams read the same payload one after the other.
_CACHED_PAYLOADS = 64
_ANY = "*"


def texts_at(data: bytes, path: str) -> Iterator[str]:
    """Yield every scalar at ``path`` as the text that was sent; nothing when ``data`` is no JSON object or array."""
    return (text for node in _nodes_at(data, path) if (text := _scalar(node)) is not None)


def path_exists(data: bytes, path: str) -> bool:
    """Tell whether ``path`` leads to a scalar, an object or an array."""
    return any(True for _ in _nodes_at(data, path))


def leads_anywhere(path: str) -> bool:
    """Tell whether a step is ``*``: only then can one path lead to thousands of values."""
    return _ANY in path and _ANY in path.split(".")


def is_position(step: str) -> bool:
    """Tell whether ``step`` can be a position in an array."""
    return len(step) <= 6 and step.isascii() and step.isdigit()


def _nodes_at(data: bytes, path: str) -> Iterator[object]:
    """Yield the nodes at ``path``, the last of several first.

    Only one position in ``path`` leads to a node, so the payload's size bounds the work.
    """
    root = _parsed(data)
    # A loop instead of recursion: publishers control the nesting depth.
    ahead: list[tuple[object, int]] = [(root, 0)]
    while ahead:
        node, position = ahead.pop()
        if position > len(path):
            yield node
        elif path.startswith(_ANY, position) and path[position + 1 : position + 2] in ("", "."):
            after = position + 2
            if after > len(path):
                yield from reversed(_children(node))
            else:
                # Thousands of numbers in an array are not worth a step each: the path goes on below them.
                ahead.extend((child, after) for child in _children(node) if isinstance(child, (dict, list)))
        elif isinstance(node, list):
            ahead.extend(_element(node, path, position))
        elif isinstance(node, dict):
            ahead.extend(_members(node, path, position))


@lru_cache(_CACHED_PAYLOADS)
def _parsed(data: bytes) -> object:
    try:
        return parse_json(data.decode())
    except UnicodeDecodeError:
        return None


def _children(node: object) -> Sequence[object]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ()


def _element(node: list[object], path: str, position: int) -> Iterator[tuple[object, int]]:
    step = path[position : _end(path, position)]
    if is_position(step) and int(step) < len(node):
        yield node[int(step)], position + len(step) + 1


def _members(node: dict[str, object], path: str, position: int) -> Iterator[tuple[object, int]]:
    """Yield each member with a name that ``path`` has at ``position``, and the position after the name's dot."""
    end = _end(path, position)
    if end == len(path):
        if (step := path[position:]) in node:
            yield node[step], end + 1
        return
    for name, child in node.items():
        stop = position + len(name)
        if path.startswith(name, position) and path[stop : stop + 1] in ("", "."):
            yield child, stop + 1


def _end(path: str, position: int) -> int:
    end = path.find(".", position)
    return len(path) if end < 0 else end


def _scalar(node: object) -> str | None:
    if isinstance(node, str):
        return node
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "true" if node else "false"
    return None
