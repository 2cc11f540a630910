"""Run a query: by indexes for a large scope, by a scan of all documents for a small one."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import chain, islice

from infra.local.firestore.documents.field_paths import NAME
from infra.local.firestore.documents.names import path_of
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.documents.value_order import Key
from infra.local.firestore.query.indexes import Shape
from infra.local.firestore.query.ordering import Position
from infra.local.firestore.query.parse import Branch, Query
from infra.local.firestore.storage.store import StoredDatabase

# Up to this number of documents, sorting is cheaper than an index.
SMALL = 100

# The versions of documents at an earlier time, for those that have changed since.
Earlier = Mapping[str, Stored | None]
_NOTHING: Earlier = {}


def run(database: StoredDatabase, query: Query, earlier: Earlier = _NOTHING) -> list[Stored]:
    """Return the results in order, with offset and limit, at the time that ``earlier`` describes."""
    stop = None if query.limit is None else query.offset + query.limit
    return list(islice(_ordered(database, query, earlier), query.offset, stop))


def count(database: StoredDatabase, query: Query, earlier: Earlier = _NOTHING, up_to: int | None = None) -> int:
    """Count the results, up to ``up_to``."""
    limits = [limit for limit in (query.limit, up_to) if limit is not None]
    if not earlier and _countable(database, query):
        total = max(0, sum(_width(database, query, branch) for branch in query.branches) - query.offset)
        return min([total, *limits])
    found = islice(_ordered(database, query, earlier), query.offset, None)
    return sum(1 for _ in islice(found, min(limits, default=None)))


def _ordered(database: StoredDatabase, query: Query, earlier: Earlier) -> Iterator[Stored]:
    if database.count(query.scope) <= SMALL:
        now: Iterable[Stored] = database.read(query.scope)
        then = (document for document in now if document.path not in earlier)
        return _sorted(query, chain(then, _changed(query, earlier)))
    streams = [_branch(database, query, branch, earlier) for branch in query.branches]
    if earlier:
        streams.append(_positions(query, _changed(query, earlier)))
    if len(streams) == 1:
        return (document for _, document in streams[0])
    return _distinct(merge(*streams, key=_first, reverse=query.order.backwards))


def _first(entry: tuple[Position, Stored]) -> Position:
    return entry[0]


def _changed(query: Query, earlier: Earlier) -> Iterator[Stored]:
    return (old for old in earlier.values() if old is not None and query.scope.holds(old.collection))


def _sorted(query: Query, documents: Iterable[Stored]) -> Iterator[Stored]:
    return (document for _, document in _positions(query, documents))


def _positions(query: Query, documents: Iterable[Stored]) -> Iterator[tuple[Position, Stored]]:
    found = [(position, one) for one in documents if (position := query.position(one)) is not None]
    found.sort(key=_first, reverse=query.order.backwards)
    return iter(found)


def _distinct(entries: Iterable[tuple[Position, Stored]]) -> Iterator[Stored]:
    # A document has the same position in every branch, so its repetitions follow one another.
    previous: Position = ()
    for position, document in entries:
        if position != previous:
            previous = position
            yield document


def _branch(
    database: StoredDatabase, query: Query, branch: Branch, earlier: Earlier
) -> Iterator[tuple[Position, Stored]]:
    named = dict(branch.equal).get(NAME)
    if named is not None:
        return _positions(query, _named(database, query, named, earlier))
    return _indexed(database, query, branch, earlier)


def _named(database: StoredDatabase, query: Query, name: Key, earlier: Earlier) -> list[Stored]:
    path = path_of(name[1])
    document = database.documents.get(path)
    if document is None or path in earlier or not query.scope.holds(document.collection):
        return []
    return [document]


def _indexed(
    database: StoredDatabase, query: Query, branch: Branch, earlier: Earlier
) -> Iterator[tuple[Position, Stored]]:
    positions, start, stop = _slice(database, query, branch)
    steps = range(stop - 1, start - 1, -1) if query.order.backwards else range(start, stop)
    for step in steps:
        position = positions[step]
        document = database.documents[_path_at(query, position)]
        if document.path not in earlier and all(part.matches(document) for part in branch.rest):
            yield position, document


def _path_at(query: Query, position: Position) -> str:
    # The last component is the key of the name, wrapped when the name sorts the other way than the first field.
    last = position[-1]
    key: Key = last.key if query.order.fields[-1].wrapped else last  # type: ignore[attr-defined, assignment]
    return path_of(key[1])


def _slice(database: StoredDatabase, query: Query, branch: Branch) -> tuple[list[Position], int, int]:
    shape = Shape.of(branch, query.order)
    index = database.indexes(query.scope).find(shape, database.read(query.scope))
    return index.slice(branch)


def _countable(database: StoredDatabase, query: Query) -> bool:
    """Tell whether the branches cannot overlap and need no document, so that index entries can be counted."""
    if database.count(query.scope) <= SMALL:
        return False
    fields = {tuple(field for field, _ in branch.equal) for branch in query.branches}
    values = {branch.equal for branch in query.branches}
    exact = all(not branch.rest and NAME not in dict(branch.equal) for branch in query.branches)
    return exact and len(fields) <= 1 and len(values) == len(query.branches)


def _width(database: StoredDatabase, query: Query, branch: Branch) -> int:
    _, start, stop = _slice(database, query, branch)
    return stop - start


def document_at(database: StoredDatabase, path: str, earlier: Earlier = _NOTHING) -> Stored | None:
    """Return one document, now or at the earlier time."""
    return earlier[path] if path in earlier else database.documents.get(path)
