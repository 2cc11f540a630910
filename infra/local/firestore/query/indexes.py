"""Indexes of the documents of one scope, like Firestore's composite indexes: made by the first query that needs one.

An index files each document under the values of its equality fields (and each element of one array), in the order of
the rest. Lists stay sorted by bisection: new messages sort last, so an insertion is mostly an append.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import FieldPath
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.documents.value_order import ARRAY, Key
from infra.local.firestore.query.ordering import Order, Position
from infra.local.firestore.query.parse import Branch

# Queries of the product have few shapes; the bound is for a test that invents many.
_MAX_INDEXES = 16

# Keys of the equality fields, in the order of the shape.
Values = tuple[Key, ...]
# What an index without an array field files a document under.
_NO_ELEMENT: frozenset[Key] = frozenset([()])


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


class Index:
    """Positions of documents under their headings; a position ends in the document's name."""

    def __init__(self, shape: Shape, documents: Iterable[Stored]) -> None:
        self._shape = shape
        # In two steps, equality values first: a document of many elements is then found by hashing each of them alone.
        self._entries: dict[Values, dict[Key, list[Position]]] = {}
        for document in documents:
            entry = self._entry(document)
            if entry is not None:
                under = self._entries.setdefault(entry.values, {})
                for element in entry.elements:
                    under.setdefault(element, []).append(entry.position)
        for under in self._entries.values():
            for positions in under.values():
                positions.sort()

    def replace(self, old: Stored | None, new: Stored | None) -> None:
        """Follow one change of a document in the scope."""
        before = self._entry(old) if old else None
        after = self._entry(new) if new else None
        if before == after:
            return
        if before is not None:
            self._remove(before)
        if after is not None:
            under = self._entries.setdefault(after.values, {})
            for element in after.elements:
                insort(under.setdefault(element, []), after.position)

    def _remove(self, entry: "Entry") -> None:
        under = self._entries[entry.values]
        for element in entry.elements:
            positions = under[element]
            del positions[bisect_left(positions, entry.position)]
            if not positions:
                del under[element]

    def _entry(self, document: Stored) -> "Entry | None":
        position = self._shape.order.position(document)
        values = tuple([key for field in self._shape.equal if (key := document.key(field)) is not None])
        if position is None or len(values) < len(self._shape.equal):
            return None
        if self._shape.contains is None:
            return Entry(values, _NO_ELEMENT, position)
        array = document.key(self._shape.contains)
        return Entry(values, frozenset(array[1]), position) if array is not None and array[0] == ARRAY else None

    def slice(self, branch: Branch) -> tuple[list[Position], int, int]:
        """The positions where ``branch`` finds its documents, and where those within its bounds start and stop."""
        values = tuple([key for _, key in branch.equal])
        element = branch.contains[1] if branch.contains else ()
        positions = self._entries.get(values, {}).get(element, [])
        low, high = branch.bounds
        start = bisect_left(positions, low) if low is not None else 0
        stop = bisect_left(positions, high) if high is not None else len(positions)
        return positions, start, max(start, stop)


class Entry(NamedTuple):
    """Where one document stands in an index: under these values, once for each element, at this position."""

    values: Values
    elements: frozenset[Key]
    position: Position


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
