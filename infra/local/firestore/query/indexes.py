"""Indexes of the documents of one scope, like Firestore's composite indexes; a query creates the index it needs.

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

# The product's queries have few shapes; the limit matters for tests with many shapes.
_MAX_INDEXES = 16

# Keys of the equality fields, in the order of the shape.
Values = tuple[Key, ...]
# The element under which an index without an array field files every document.
_NO_ELEMENT: frozenset[Key] = frozenset([()])


class Shape(NamedTuple):
    """The fields and directions that an index is sorted by."""

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
        # Two levels, equality values first: a document with many elements needs one hash for each element only.
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
        """Apply one change of a document in the scope."""
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

    def _remove(self, entry: "IndexEntry") -> None:
        under = self._entries[entry.values]
        for element in entry.elements:
            positions = under[element]
            del positions[bisect_left(positions, entry.position)]
            if not positions:
                del under[element]

    def _entry(self, document: Stored) -> "IndexEntry | None":
        position = self._shape.order.position(document)
        values = tuple([key for field in self._shape.equal if (key := document.key(field)) is not None])
        if position is None or len(values) < len(self._shape.equal):
            return None
        if self._shape.contains is None:
            return IndexEntry(values, _NO_ELEMENT, position)
        array = document.key(self._shape.contains)
        return IndexEntry(values, frozenset(array[1]), position) if array is not None and array[0] == ARRAY else None

    def slice(self, branch: Branch) -> tuple[list[Position], int, int]:
        """Return the positions for ``branch``, and the start and stop of the part within its bounds."""
        values = tuple([key for _, key in branch.equal])
        element = branch.contains[1] if branch.contains else ()
        positions = self._entries.get(values, {}).get(element, [])
        low, high = branch.bounds
        start = bisect_left(positions, low) if low is not None else 0
        stop = bisect_left(positions, high) if high is not None else len(positions)
        return positions, start, max(start, stop)


class IndexEntry(NamedTuple):
    """The place of one document in an index: its values, its elements (one entry each), and its position."""

    values: Values
    elements: frozenset[Key]
    position: Position


class Indexes:
    """The indexes of one scope; the least recently used ones are evicted."""

    def __init__(self) -> None:
        self._by_shape: OrderedDict[Shape, Index] = OrderedDict()

    def find(self, shape: Shape, documents: Iterator[Stored]) -> Index:
        """Return the index of ``shape``; build a new one from ``documents``."""
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
