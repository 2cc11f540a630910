"""Parse a structured query: its scope, its filter, its order and its bounds. Pure."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from infra.local.firestore.documents.field_paths import NAME, FieldPath, parse_path
from infra.local.firestore.documents.names import check_segments
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.documents.value_order import Key
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb
from infra.local.firestore.query.filters import EVERYTHING, Comparison, Filter, disjuncts, parse_filter
from infra.local.firestore.query.ordering import Bounds, Order, Position, parse_cursors, parse_order, range_bounds


class Scope(NamedTuple):
    """Which collections a query reads: ``parent/collection``, or every ``collection`` below ``parent``.

    An empty ``collection`` stands for all of them.
    """

    parent: str
    collection: str
    descendants: bool

    @property
    def single(self) -> str | None:
        """The path of the single collection that is read; None when there may be several."""
        if self.descendants or not self.collection:
            return None
        return f"{self.parent}/{self.collection}" if self.parent else self.collection

    def holds(self, collection: str) -> bool:
        """Tell whether the collection at this path belongs to the scope."""
        parent, _, name = collection.rpartition("/")
        if self.collection not in ("", name):
            return False
        if not self.descendants:
            return parent == self.parent
        return not self.parent or parent == self.parent or parent.startswith(self.parent + "/")


class Branch(NamedTuple):
    """One disjunct as an index answers it: equalities choose a part of the index, bounds the range within it.

    ``rest`` holds the comparisons that need the document itself.
    """

    equal: tuple[tuple[FieldPath, Key], ...]
    contains: tuple[FieldPath, Key] | None
    bounds: Bounds
    rest: tuple[Comparison, ...]


@dataclass(frozen=True)
class Query:
    """A query over one database. ``limit`` None is unlimited; ``fields`` None is whole documents."""

    scope: Scope
    where: Filter
    order: Order
    bounds: Bounds
    offset: int
    limit: int | None
    fields: tuple[FieldPath, ...] | None

    def matches(self, document: Stored) -> bool:
        """Tell whether ``document`` is a result, before offset and limit."""
        return self.scope.holds(document.collection) and self.position(document) is not None

    def position(self, document: Stored) -> Position | None:
        """Return the position of ``document`` (in the scope) among the results; None when it is no result."""
        if not self.where.matches(document):
            return None
        position = self.order.position(document)
        return position if position is not None and self.bounds.hold(position) else None

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The disjuncts, without contradictory ones."""
        found = (self._branch(form) for form in disjuncts(self.where))
        return tuple(branch for branch in found if branch is not None)

    def _branch(self, form: tuple[Comparison, ...]) -> Branch | None:
        equal: dict[FieldPath, Key] = {}
        contains: tuple[FieldPath, Key] | None = None
        bounds, rest = self.bounds, []
        for part in form:
            if part.operator == "EQUAL":
                if equal.setdefault(part.field, part.keys[0]) != part.keys[0]:
                    return None
            elif part.operator == "ARRAY_CONTAINS" and contains is None:
                contains = (part.field, part.keys[0])
            elif part.field == self.order.fields[0].field and (ranged := range_bounds(part)) is not None:
                bounds = bounds.within(ranged)
            else:
                rest.append(part)
        return Branch(tuple(sorted(equal.items())), contains, bounds, tuple(rest))


def parse_query(pb: Pb, database: str, parent: str) -> Query:
    """Parse a ``StructuredQuery`` below ``parent`` (a document's path, or ``""``); raises INVALID_ARGUMENT."""
    if pb.HasField("find_nearest"):
        raise invalid_argument("The local cloud has no vector search.")
    where = parse_filter(pb.where, database) if pb.HasField("where") else EVERYTHING
    order = parse_order(pb, where)
    if pb.offset < 0 or pb.limit.value < 0:
        raise invalid_argument("The offset and the limit of a query must not be negative.")
    query = Query(
        scope=_scope(pb, parent),
        where=where,
        order=order,
        bounds=parse_cursors(pb, order, database),
        offset=pb.offset,
        limit=pb.limit.value if pb.HasField("limit") else None,
        fields=_projection(pb),
    )
    # Normalising refuses too many disjunctions; do this before the first result.
    _ = query.branches
    return query


def _scope(pb: Pb, parent: str) -> Scope:
    sources = pb.from_
    if len(sources) != 1:
        raise invalid_argument(f"A query reads exactly one collection; this one names {len(sources)}.")
    collection = sources[0].collection_id
    if "/" in collection:
        raise invalid_argument(f"Invalid collection id {collection!r}; it holds a slash.")
    if collection:
        check_segments(collection, collection)
    return Scope(parent, collection, sources[0].all_descendants)


def _projection(pb: Pb) -> tuple[FieldPath, ...] | None:
    if not pb.HasField("select"):
        return None
    paths = (parse_path(one.field_path) for one in pb.select.fields)
    return tuple(path for path in paths if path != NAME)
