"""Read fields of a JSON payload by path: ``user.id``, ``items.0.id``, ``items.*.id``. Pure.

A step is a member's name (which may itself hold dots), a position in an array, or ``*`` for any member or element.
"""

from collections.abc import Iterator
from functools import lru_cache

from infra.messages.json_scalars import parse_json

# Several terms and several streams read the same payload one after the other.
_CACHED_PAYLOADS = 64


def texts_at(data: bytes, path: str) -> Iterator[str]:
    """Yield every scalar at ``path`` as the text that was sent; nothing when ``data`` is not a JSON object."""
    return (text for node in _nodes_at(data, path) if (text := _scalar(node)) is not None)


def path_exists(data: bytes, path: str) -> bool:
    """Tell whether ``path`` leads to a scalar, an object or an array."""
    return any(True for _ in _nodes_at(data, path))


def _nodes_at(data: bytes, path: str) -> Iterator[object]:
    root = _parsed(data)
    # A loop instead of recursion: publishers control the nesting depth.
    ahead: list[tuple[object, int]] = [(root, 0)] if isinstance(root, dict) else []
    while ahead:
        node, position = ahead.pop()
        if position > len(path):
            yield node
        else:
            ahead.extend(_steps(node, path, position))


@lru_cache(_CACHED_PAYLOADS)
def _parsed(data: bytes) -> object:
    try:
        return parse_json(data.decode())
    except UnicodeDecodeError:
        return None


def _steps(node: object, path: str, position: int) -> Iterator[tuple[object, int]]:
    """Yield each node that the next step leads to, and the position in ``path`` after the step's dot.

    Only one position leads to a node, so the payload's size bounds the work.
    """
    end = path.find(".", position)
    step = path[position:] if end < 0 else path[position:end]
    after = position + len(step) + 1
    if step == "*":
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        yield from ((child, after) for child in children)
    elif isinstance(node, list):
        if len(step) <= 6 and step.isascii() and step.isdigit() and int(step) < len(node):
            yield node[int(step)], after
    elif isinstance(node, dict):
        for name, child in node.items():
            stop = position + len(name)
            if path.startswith(name, position) and path[stop : stop + 1] in ("", "."):
                yield child, stop + 1


def _scalar(node: object) -> str | None:
    if isinstance(node, str):
        return node
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "true" if node else "false"
    return None
