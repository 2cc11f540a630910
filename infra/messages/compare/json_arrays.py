"""Align two JSON arrays: by a member that identifies their items, otherwise by equal items. Pure."""

from collections.abc import Hashable
from operator import ne
from typing import NamedTuple

from infra.messages.compare.effort import Effort
from infra.messages.compare.json_values import Json
from infra.messages.compare.sequences import MAX_INDEXED_ITEMS, Run, common_ends, longest_ascending, runs

# Members that may identify an item, the best one first.
ID_NAMES = ("id", "_id", "uuid", "key", "name")
# Fewer items are not compared before they are counted as different.
_FEW = 20
# Longer arrays are aligned without an index of their items.
_MAX_TOKENS = 10_000


class Block(NamedTuple):
    """The next part of two arrays: ``equal`` items, then items compared by position, then removed and added ones."""

    equal: int
    changed: int
    removed: int
    added: int


def count_differences(a: list[Json], b: list[Json], blocks: list[Block], effort: Effort) -> int:
    """Return at most how many operations the blocks give, each item as one."""
    total = at_a = at_b = 0
    for equal, changed, removed, added in blocks:
        at_a, at_b = at_a + equal, at_b + equal
        if changed > _FEW and effort.has_time():
            total += sum(map(ne, a[at_a : at_a + changed], b[at_b : at_b + changed]))
        else:
            total += changed
        total += removed + added
        at_a, at_b = at_a + changed + removed, at_b + changed + added
    return total


def align(a: list[Json], b: list[Json], effort: Effort) -> list[Block]:
    """Return the blocks of two arrays, in order."""
    head, tail = common_ends(a, b)
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    if (by_id := _by_id(inner_a, inner_b)) is not None:
        return [Block(head, 0, 0, 0), *by_id, Block(tail, 0, 0, 0)]
    shared = _shared(inner_a, inner_b, effort)
    blocks, at_a, at_b, equal = [], 0, 0, head
    for run in [*shared, Run(len(inner_a), len(inner_b), tail)]:
        removed, added = run.at_a - at_a, run.at_b - at_b
        changed = min(removed, added)
        blocks.append(Block(equal, changed, removed - changed, added - changed))
        at_a, at_b, equal = run.at_a + run.length, run.at_b + run.length, run.length
    return [*blocks, Block(tail, 0, 0, 0)]


def _shared(a: list[Json], b: list[Json], effort: Effort) -> list[Run]:
    """Return the runs of equal items; none where a single item stands against a single one."""
    if not a or not b or len(a) == len(b) == 1:
        return []
    if not effort.has_time():
        return []
    is_short = max(len(a), len(b)) <= _MAX_TOKENS
    return runs(_tokens(a), _tokens(b), effort) if is_short else runs(a, b, effort, has_anchors=False)


def _tokens(items: list[Json]) -> list[Hashable]:
    """Return a token for each item: equal tokens mean equal items."""
    return [(repr(item),) if isinstance(item, dict | list) else item for item in items]


def _by_id(a: list[Json], b: list[Json]) -> list[Block] | None:
    """Align objects by the first name that identifies all of them; None when there is none."""
    if not a or not b or max(len(a), len(b)) > MAX_INDEXED_ITEMS:
        return None
    for name in ID_NAMES:
        ids_a, ids_b = _ids(a, name), _ids(b, name)
        if ids_a is None or ids_b is None:
            continue
        pairs = longest_ascending([(at, ids_b[one]) for one, at in ids_a.items() if one in ids_b])
        if pairs:
            return _between(pairs, len(a), len(b))
    return None


def _between(pairs: list[tuple[int, int]], length_a: int, length_b: int) -> list[Block]:
    blocks: list[Block] = []
    at_a = at_b = together = 0
    for place_a, place_b in pairs:
        if place_a > at_a or place_b > at_b:
            blocks += [Block(0, together, 0, 0), Block(0, 0, place_a - at_a, place_b - at_b)]
            together = 0
        together += 1
        at_a, at_b = place_a + 1, place_b + 1
    return [*blocks, Block(0, together, length_a - at_a, length_b - at_b)]


def _ids(items: list[Json], name: str) -> dict[Hashable, int] | None:
    places: dict[Hashable, int] = {}
    for place, item in enumerate(items):
        value = item.get(name) if isinstance(item, dict) else None
        if not isinstance(value, bytes | str) or value in places:
            return None
        places[value] = place
    return places
