"""Indexes of the documents of one scope, like Firestore's composite indexes: made by the first query that needs one.

An index files each document under the values of its equality fields (and each element of one array), in the order of
the rest. Lists stay sorted by bisection: new messages sort last, so an insertion is mostly an append.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.local.firestore.documents import Stored
from infra.local.firestore.fields import FieldPath
from infra.local.firestore.orders import Bounds, Order, Position
from infra.local.firestore.queries import Branch
from infra.local.firestore.values import ARRAY, Key

# Queries of the product have few shapes; the bound is for a test that invents many.
_MAX_INDEXES = 16

# Values of the equality fields, then the array's element when the shape has one.
Heading = tuple[Key, ...]


class Shape(NamedTuple):
    """What an index is sorted by."""

    equal: tuple[FieldPath, ...]
    contains: FieldPath | None
    order: Order

    @staticmethod
    def of(branch: Branch, order: Order) -> "Shape":
        # Read from the end for the other direction: one index serves both.
        contains = branch.contains[0] if branch.contains else None
        return Shape(tuple(field for field, _ in branch.equal), contains, order._replace(backwards=False))


def heading_of(branch: Branch) -> Heading:
    """Under which heading a branch finds its documents."""
    values = tuple(key for _, key in branch.equal)
    return (*values, branch.contains[1]) if branch.contains else values


class Index:
    """Positions of documents under their headings; a position ends in the document's name."""

    def __init__(self, shape: Shape, documents: Iterable[Stored]) -> None:
        self._shape = shape
        self._entries: dict[Heading, list[Position]] = {}
        for document in documents:
            headings, position = self._entry(document)
            for heading in headings:
                self._entries.setdefault(heading, []).append(position)
        for positions in self._entries.values():
            positions.sort()

    def replace(self, old: Stored | None, new: Stored | None) -> None:
        """Follow one change of a document in the scope."""
        before = self._entry(old) if old else (frozenset(), ())
        after = self._entry(new) if new else (frozenset(), ())
        if before == after:
            return
        for heading in before[0]:
            self._remove(heading, before[1])
        for heading in after[0]:
            insort(self._entries.setdefault(heading, []), after[1])

    def _remove(self, heading: Heading, position: Position) -> None:
        positions = self._entries[heading]
        del positions[bisect_left(positions, position)]
        if not positions:
            del self._entries[heading]

    def _entry(self, document: Stored) -> tuple[frozenset[Heading], Position]:
        position = self._shape.order.position(document)
        equal = [document.key(field) for field in self._shape.equal]
        if position is None or None in equal:
            return frozenset(), ()
        values = tuple(key for key in equal if key is not None)
        if self._shape.contains is None:
            return frozenset((values,)), position
        array = document.key(self._shape.contains)
        if array is None or array[0] != ARRAY:
            return frozenset(), ()
        return frozenset((*values, element) for element in array[1]), position

    def slice(self, heading: Heading, bounds: Bounds) -> tuple[list[Position], int, int]:
        """The positions under ``heading``, and where those within ``bounds`` start and stop."""
        positions = self._entries.get(heading, [])
        start = bisect_left(positions, bounds.low) if bounds.low is not None else 0
        stop = bisect_left(positions, bounds.high) if bounds.high is not None else len(positions)
        return positions, start, max(start, stop)


class Indexes:
    """The indexes of one scope; those not used for longest are forgotten first."""

    def __init__(self) -> None:
        self._by_shape: OrderedDict[Shape, Index] = OrderedDict()

    def find(self, shape: Shape, documents: Iterator[Stored]) -> Index:
        """The index of ``shape``, built from ``documents`` when it is new."""
        index = self._by_shape.get(shape)
        if index is None:
            index = self._by_shape[shape] = Index(shape, documents)
            if len(self._by_shape) > _MAX_INDEXES:
                self._by_shape.popitem(last=False)
        self._by_shape.move_to_end(shape)
        return index

    def replace(self, old: Stored | None, new: Stored | None) -> None:
        for index in self._by_shape.values():
            index.replace(old, new)
