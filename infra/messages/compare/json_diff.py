"""The differences between two JSON values, as operations of RFC 6902 with their exact values. Pure, without recursion.

The order of names does not count. Items of arrays are aligned: by an identifying member where every item has a
different one, otherwise by equal items; changed items between them are compared by position. An item that moved is
removed and added. ``apply(diff(a, b), a) == b`` for all values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from operator import ne
from typing import Literal, NamedTuple

from infra.messages.compare.effort import Effort
from infra.messages.compare.json_arrays import Block, align, count_differences
from infra.messages.compare.json_values import Json, Repeated

SAMPLE = 20

Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One difference. ``path`` is its place while the operations are applied in order; ``path_in_a`` is that in ``a``.

    ``old`` is None for "add", ``new`` for "remove".
    """

    kind: Literal["add", "remove", "replace"]
    path: Path
    path_in_a: Path
    old: Json = None
    new: Json = None


@dataclass(frozen=True, slots=True)
class Same:
    """``count`` equal members or items of the object or array at ``path``, of which ``sample`` has the first ones."""

    path: Path
    count: int
    sample: tuple[tuple[Step, Json], ...]


class _Pair(NamedTuple):
    """Two different values at one place."""

    path: Path
    path_in_a: Path
    a: Json
    b: Json


_Found = Operation | Same | _Pair
# Comparing these may take long. Once the time is over, they count as different.
_LARGE = (dict, list, Repeated)


def diff(a: Json, b: Json, effort: Effort | None = None) -> list[Operation]:
    """Return the operations that turn ``a`` into ``b``, to be applied in order."""
    return [found for found in walk(a, b, effort or Effort()) if isinstance(found, Operation)]


def walk(a: Json, b: Json, effort: Effort) -> Iterator[Operation | Same]:
    """Yield the differences and, between them, the parts that are equal."""
    if a == b:
        return
    effort.takes_operations(1)
    levels: list[Iterator[_Found]] = [_of(_Pair((), (), a, b), effort)]
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
        elif isinstance(found, _Pair):
            levels.append(_of(found, effort))
        else:
            yield found


def _of(pair: _Pair, effort: Effort) -> Iterator[_Found]:
    """Compare two different values. One operation is taken for them already."""
    a, b = pair.a, pair.b
    if isinstance(a, dict) and isinstance(b, dict) and effort.has_time():
        found = _of_objects(pair, a, b, effort)
    elif isinstance(a, list) and isinstance(b, list) and effort.has_time():
        found = _of_arrays(pair, a, b, effort)
    else:
        found = None
    return iter([Operation("replace", pair.path, pair.path_in_a, a, b)]) if found is None else found


def _of_objects(pair: _Pair, a: dict[str, Json], b: dict[str, Json], effort: Effort) -> Iterator[_Found] | None:
    removed = [] if a.keys() <= b.keys() else [name for name in a if name not in b]
    added = [] if b.keys() <= a.keys() else [name for name in b if name not in a]
    changed = {
        name
        for name, old in a.items()
        if name in b and ((isinstance(old, _LARGE) and not effort.has_time()) or old != b[name])
    }
    if not effort.takes_operations(len(removed) + len(added) + len(changed) - 1):
        return None
    return _members(pair, a, b, changed, added)


def _members(
    pair: _Pair, a: dict[str, Json], b: dict[str, Json], changed: set[str], added: list[str]
) -> Iterator[_Found]:
    equal: list[str] = []
    for name, old in a.items():
        if name in b and name not in changed:
            equal.append(name)
            continue
        yield from _equal_members(pair.path, a, equal)
        equal = []
        path, path_in_a = (*pair.path, name), (*pair.path_in_a, name)
        yield _Pair(path, path_in_a, old, b[name]) if name in b else Operation("remove", path, path_in_a, old)
    yield from _equal_members(pair.path, a, equal)
    for name in added:
        yield Operation("add", (*pair.path, name), (*pair.path_in_a, name), new=b[name])


def _equal_members(path: Path, a: dict[str, Json], names: list[str]) -> Iterator[Same]:
    if names:
        yield Same(path, len(names), tuple((name, a[name]) for name in islice(names, SAMPLE)))


def _of_arrays(pair: _Pair, a: list[Json], b: list[Json], effort: Effort) -> Iterator[_Found] | None:
    blocks = align(a, b, effort)
    if not effort.takes_operations(count_differences(a, b, blocks, effort) - 1):
        return None
    return _items(pair, a, b, blocks, effort)


def _items(pair: _Pair, a: list[Json], b: list[Json], blocks: list[Block], effort: Effort) -> Iterator[_Found]:
    at_a = at_b = 0
    for equal, changed, removed, added in blocks:
        yield from _equal_items(pair.path, b, at_b, equal)
        at_a, at_b = at_a + equal, at_b + equal
        yield from _by_position(pair, a, b, (at_a, at_b, changed), effort)
        at_a, at_b = at_a + changed, at_b + changed
        for _ in range(removed):
            yield Operation("remove", (*pair.path, at_b), (*pair.path_in_a, at_a), a[at_a])
            at_a += 1
        for _ in range(added):
            yield Operation("add", (*pair.path, at_b), (*pair.path_in_a, at_b), new=b[at_b])
            at_b += 1


def _by_position(
    pair: _Pair, a: list[Json], b: list[Json], part: tuple[int, int, int], effort: Effort
) -> Iterator[_Found]:
    """Compare items one by one: a part is its start in ``a``, its start in ``b``, and its length."""
    at_a, at_b, length = part
    equal = 0
    if effort.has_time():
        differ: Iterable[bool] = map(ne, a[at_a : at_a + length], b[at_b : at_b + length])
    else:
        differ = repeat(True, length)
    for number, is_different in enumerate(differ):
        if not is_different:
            equal += 1
            continue
        yield from _equal_items(pair.path, b, at_b + number - equal, equal)
        equal = 0
        place_a, place_b = at_a + number, at_b + number
        yield _Pair((*pair.path, place_b), (*pair.path_in_a, place_a), a[place_a], b[place_b])
    yield from _equal_items(pair.path, b, at_b + length - equal, equal)


def _equal_items(path: Path, b: list[Json], start: int, count: int) -> Iterator[Same]:
    if count:
        yield Same(path, count, tuple(enumerate(b[start : start + min(count, SAMPLE)], start)))


def apply(operations: list[Operation], a: Json) -> Json:
    """Return ``a`` after all operations; ``a`` itself stays as it is."""
    root: list[Json] = [a]
    own: dict[int, object] = {id(root): root}  # the containers that are copies already
    for operation in operations:
        parent: list[Json] | dict[str, Json] = root
        key: Step = 0
        for step in operation.path:
            parent, key = _own_child(parent, key, own), step
        _change(parent, key, operation)
    return root[0]


def _own_child(parent: list[Json] | dict[str, Json], key: Step, own: dict[int, object]) -> list[Json] | dict[str, Json]:
    child = parent[key]  # type: ignore[index]
    if not isinstance(child, list | dict):
        raise ValueError(f"{key!r} is neither an object nor an array")
    if id(child) not in own:
        child = child.copy()
        parent[key] = child  # type: ignore[index]
        own[id(child)] = child
    return child


def _change(parent: list[Json] | dict[str, Json], key: Step, operation: Operation) -> None:
    if operation.kind == "remove":
        del parent[key]  # type: ignore[arg-type]
    elif operation.kind == "add" and isinstance(parent, list):
        parent.insert(int(key), operation.new)
    else:
        parent[key] = operation.new  # type: ignore[index]
