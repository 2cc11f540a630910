"""Align two sequences: find long runs that both have in the same order. Pure.

Items that occur once in each sequence are anchors (the longest ascending series of them is kept); between anchors runs
Myers' algorithm, which finds the fewest removals and additions (E. W. Myers, Algorithmica 1, 1986, pages 251 to 266).
Beyond the bounds of ``Effort`` a gap stays unaligned: the result has fewer runs, never a wrong one.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from infra.messages.compare.effort import Effort

# Longer sequences have no anchors: an index of their items would take too long.
MAX_INDEXED_ITEMS = 50_000
# The cost of a look for equal items, in steps.
_LOOK_STEPS = 12
_FIRST_STRIDE = 16


class Run(NamedTuple):
    """``length`` equal items, from ``a[at_a]`` and ``b[at_b]`` on."""

    at_a: int
    at_b: int
    length: int


class _Gap(NamedTuple):
    """The items between two runs: ``a[start_a:end_a]`` and ``b[start_b:end_b]``."""

    start_a: int
    end_a: int
    start_b: int
    end_b: int


def runs(a: Sequence[object], b: Sequence[object], effort: Effort, *, has_anchors: bool = True) -> list[Run]:
    """Return runs that ``a`` and ``b`` share, ascending in both. Only for anchors the items must be hashable."""
    head, tail = common_ends(a, b)
    inner = _Gap(head, len(a) - tail, head, len(b) - tail)
    within = _between_anchors if has_anchors and _is_indexed(a, inner) else _fewest
    found = [Run(0, 0, head), *within(a, b, inner, effort), Run(inner.end_a, inner.end_b, tail)]
    return [run for run in found if run.length]


def common_ends(a: Sequence[object], b: Sequence[object]) -> tuple[int, int]:
    """Return how many items are equal at the start, and after those at the end."""
    head = _equal_ahead(a, 0, len(a), b, 0, len(b))
    return head, _equal_behind(a, b, min(len(a), len(b)) - head)


def _is_indexed(a: Sequence[object], gap: _Gap) -> bool:
    longest = max(gap.end_a - gap.start_a, gap.end_b - gap.start_b)
    return longest <= MAX_INDEXED_ITEMS and not isinstance(a, bytes)


def _between_anchors(a: Sequence[object], b: Sequence[object], gap: _Gap, effort: Effort) -> Iterator[Run]:
    at_a, at_b = gap.start_a, gap.start_b
    for anchor_a, anchor_b in _anchors(a, b, gap):
        if anchor_a < at_a or anchor_b < at_b:
            continue  # a run before it has reached it
        yield from _fewest(a, b, _Gap(at_a, anchor_a, at_b, anchor_b), effort)
        count = _equal_ahead(a, anchor_a, gap.end_a, b, anchor_b, gap.end_b)
        yield Run(anchor_a, anchor_b, count)
        at_a, at_b = anchor_a + count, anchor_b + count
    yield from _fewest(a, b, _Gap(at_a, gap.end_a, at_b, gap.end_b), effort)


def _anchors(a: Sequence[object], b: Sequence[object], gap: _Gap) -> list[tuple[int, int]]:
    once_a, once_b = _once(a, gap.start_a, gap.end_a), _once(b, gap.start_b, gap.end_b)
    pairs = [(at, once_b[item]) for item, at in once_a.items() if item in once_b]
    return longest_ascending(pairs)


def _once(items: Sequence[object], start: int, end: int) -> dict[object, int]:
    """Return the places of the items that occur once."""
    places: dict[object, int] = {}
    repeated: set[object] = set()
    for place in range(start, end):
        item = items[place]
        if item in places:
            repeated.add(item)
        places[item] = place
    for item in repeated:
        del places[item]
    return places


def longest_ascending(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most pairs that ascend in both numbers; ``pairs`` ascend in the first one."""
    ends: list[int] = []  # the smallest last second number of a series of each length
    holders: list[int] = []
    before = [-1] * len(pairs)
    for number, (_, second) in enumerate(pairs):
        length = bisect_left(ends, second)
        before[number] = holders[length - 1] if length else -1
        ends[length : length + 1] = [second]
        holders[length : length + 1] = [number]
    chosen = []
    number = holders[-1] if holders else -1
    while number >= 0:
        chosen.append(pairs[number])
        number = before[number]
    return chosen[::-1]


def _fewest(a: Sequence[object], b: Sequence[object], gap: _Gap, effort: Effort) -> Iterator[Run]:
    """Yield the runs of a path with the fewest removals and additions; none when it takes too many steps."""
    length_a, length_b = gap.end_a - gap.start_a, gap.end_b - gap.start_b
    if not length_a or not length_b:
        return
    furthest = {1: 0}
    rounds: list[dict[int, int]] = []
    looks = 0
    for distance in range(length_a + length_b + 1):
        if not effort.takes_steps(distance + 1 + looks * _LOOK_STEPS):
            return
        looks = 0
        rounds.append(furthest.copy())
        for diagonal in range(-distance, distance + 1, 2):
            x = _from_neighbour(furthest, diagonal, distance)
            y = x - diagonal
            if x < length_a and y < length_b and a[gap.start_a + x] == b[gap.start_b + y]:
                x += _equal_ahead(a, gap.start_a + x, gap.end_a, b, gap.start_b + y, gap.end_b)
                looks += 1
            furthest[diagonal] = x
            if x >= length_a and x - diagonal >= length_b:
                yield from reversed(list(_walk_back(rounds, gap)))
                return


def _from_neighbour(furthest: dict[int, int], diagonal: int, distance: int) -> int:
    """Return how far ``a`` is used on a diagonal after one more removal or addition."""
    if diagonal == -distance or (diagonal != distance and furthest[diagonal - 1] < furthest[diagonal + 1]):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _walk_back(rounds: list[dict[int, int]], gap: _Gap) -> Iterator[Run]:
    x, y = gap.end_a - gap.start_a, gap.end_b - gap.start_b
    for distance in range(len(rounds) - 1, -1, -1):
        furthest, diagonal = rounds[distance], x - y
        start = _from_neighbour(furthest, diagonal, distance)
        if x > start:
            yield Run(gap.start_a + start, gap.start_b + start - diagonal, x - start)
        came_down = diagonal == -distance or (diagonal != distance and furthest[diagonal - 1] < furthest[diagonal + 1])
        previous = diagonal + 1 if came_down else diagonal - 1
        x = furthest[previous]
        y = x - previous


def _equal_ahead(a: Sequence[object], at_a: int, end_a: int, b: Sequence[object], at_b: int, end_b: int) -> int:
    """Count equal items from two places on. Slices are compared at the speed of C, in growing strides."""
    most, count, stride = min(end_a - at_a, end_b - at_b), 0, _FIRST_STRIDE
    while count < most:
        step = min(stride, most - count)
        if a[at_a + count : at_a + count + step] == b[at_b + count : at_b + count + step]:
            count, stride = count + step, stride * 2
        elif step == 1:
            break
        else:
            stride, most = max(1, step // 2), count + step - 1
    return count


def _equal_behind(a: Sequence[object], b: Sequence[object], most: int) -> int:
    """Count equal items from the ends backwards, at most ``most``."""
    count, stride, end_a, end_b = 0, _FIRST_STRIDE, len(a), len(b)
    while count < most:
        step = min(stride, most - count)
        if a[end_a - count - step : end_a - count] == b[end_b - count - step : end_b - count]:
            count, stride = count + step, stride * 2
        elif step == 1:
            break
        else:
            stride, most = max(1, step // 2), count + step - 1
    return count
