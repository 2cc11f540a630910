"""The order of a query's results: explicit and implied, and the bounds that cursors and ranges set in it.

An index ascends by its first field; a descending query reads it backwards. A further field with another direction than
the first one is wrapped in ``Descending``, so that positions compare as plain tuples.
"""

from functools import total_ordering
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import NAME, FieldPath, parse_path
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.documents.value_order import Key, key_of
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb, StructuredQuery
from infra.local.firestore.query.filters import INEQUALITIES, ORDERING, Comparison, Filter, comparisons, name_operand

# The keys of the ordered fields. The last one is always the name, which is unique, so that there are no ties.
Position = tuple[object, ...]


@total_ordering
class Descending:
    """A key that sorts in reverse order."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and self.key == other.key

    def __lt__(self, other: object) -> bool:
        return other.key < self.key if isinstance(other, Descending) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


class _Top:
    """Sorts after every key: ``(a, TOP)`` is just behind all positions that begin with ``a``."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return other is not self


TOP = _Top()


class OrderBy(NamedTuple):
    """One field of the order; ``wrapped`` when its direction differs from the first field's."""

    field: FieldPath
    wrapped: bool

    def component(self, key: Key) -> object:
        return Descending(key) if self.wrapped else key


class Order(NamedTuple):
    """A complete order. ``backwards``: the first field descends, so positions are read from the end."""

    fields: tuple[OrderBy, ...]
    backwards: bool

    def position(self, document: Stored) -> Position | None:
        """Return the position of ``document``; None when it lacks an ordered field and is therefore no result."""
        components: list[object] = []
        for one in self.fields:
            key = document.key(one.field)
            if key is None:
                return None
            components.append(one.component(key))
        return tuple(components)


class Bounds(NamedTuple):
    """Positions from ``low`` (included) to ``high`` (excluded); None is open."""

    low: Position | None = None
    high: Position | None = None

    def hold(self, position: Position) -> bool:
        return not (self.low is not None and position < self.low) and (self.high is None or position < self.high)

    def within(self, other: "Bounds") -> "Bounds":
        low = self.low if other.low is None or (self.low is not None and self.low > other.low) else other.low
        high = self.high if other.high is None or (self.high is not None and self.high < other.high) else other.high
        return Bounds(low, high)


def parse_order(pb: Pb, where: Filter) -> Order:
    """Return the explicit order of a ``StructuredQuery``, then its inequality fields, then ``__name__``."""
    directions: dict[FieldPath, bool] = {}
    for one in pb.order_by:
        field = parse_path(one.field.field_path)
        if field in directions:
            raise invalid_argument(f"The query is ordered by {one.field.field_path!r} twice.")
        directions[field] = one.direction == StructuredQuery.DESCENDING
    last = next(reversed(directions.values()), False)
    for field in sorted({part.field for part in comparisons(where) if part.operator in ORDERING}):
        directions.setdefault(field, last)
    if NAME in directions:
        directions = dict(list(directions.items())[: list(directions).index(NAME) + 1])
    directions.setdefault(NAME, last)
    first = next(iter(directions.values()))
    return Order(tuple(OrderBy(field, descends != first) for field, descends in directions.items()), first)


def parse_cursors(pb: Pb, order: Order, database: str) -> Bounds:
    """Return the bounds by ``start_at`` and ``end_at`` of a ``StructuredQuery``."""
    start, end = Bounds(), Bounds()
    if pb.HasField("start_at"):
        start = _cursor(pb.start_at, order, database, starts=True)
    if pb.HasField("end_at"):
        end = _cursor(pb.end_at, order, database, starts=False)
    return start.within(end)


def _cursor(pb: Pb, order: Order, database: str, *, starts: bool) -> Bounds:
    if len(pb.values) > len(order.fields):
        raise invalid_argument(f"A cursor has {len(pb.values)} values; the query orders by {len(order.fields)} fields.")
    position = tuple(
        one.component(name_operand(value, database) if one.field == NAME else key_of(value))
        for one, value in zip(order.fields, pb.values, strict=False)
    )
    edge = position if pb.before != order.backwards else (*position, TOP)
    return Bounds(low=edge) if starts != order.backwards else Bounds(high=edge)


def range_bounds(comparison: Comparison) -> Bounds | None:
    """Return the bounds by a comparison of the first ordered field; None when it is no range."""
    if comparison.operator not in INEQUALITIES:
        return None
    key = comparison.keys[0]
    rank = key[0]
    lowest, highest = ((rank,),), ((rank + 1,),)
    if comparison.operator == "LESS_THAN":
        return Bounds(lowest, (key,))
    if comparison.operator == "LESS_THAN_OR_EQUAL":
        return Bounds(lowest, (key, TOP))
    if comparison.operator == "GREATER_THAN":
        return Bounds((key, TOP), highest)
    return Bounds((key,), highest)
