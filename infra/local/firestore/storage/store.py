"""The stored documents of every database, with their collections, indexes and commit log.

Single-threaded: each call runs between two awaits of one event loop, so there are no locks.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from infra.local.firestore.documents.names import check_database
from infra.local.firestore.documents.stored import Change, Commit, Stored
from infra.local.firestore.query.indexes import Indexes
from infra.local.firestore.query.parse import Scope
from infra.local.firestore.storage.clock import Clock
from infra.local.firestore.storage.commit_log import CommitLog
from infra.local.journal import Journal

_MAX_INDEXED_SCOPES = 64


class StoredDatabase:
    """One database. ``name`` is ``projects/P/databases/D``."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.journal = CommitLog(clock.read())
        self.documents: dict[str, Stored] = {}
        # Functions that are called with each stored commit.
        self.listeners: set[Callable[[Commit], None]] = set()
        self._collections: dict[str, dict[str, Stored]] = {}
        self._indexes: OrderedDict[Scope, Indexes] = OrderedDict()

    def commit(self, staged: Mapping[str, Stored | None], time: int) -> Commit:
        """Store the new versions by path (None deletes) at once, and call the listeners."""
        changes = tuple(
            Change(path, old, new) for path, new in staged.items() if (old := self.documents.get(path)) is not new
        )
        commit = Commit(time, changes)
        if changes:
            for change in changes:
                self._put(change)
            self.journal.append(commit)
            for listener in tuple(self.listeners):
                listener(commit)
        return commit

    def _put(self, change: Change) -> None:
        path, old, new = change
        collection = path.rpartition("/")[0]
        if new is None:
            del self.documents[path]
            siblings = self._collections[collection]
            del siblings[path]
            if not siblings:
                del self._collections[collection]
        else:
            self.documents[path] = new
            self._collections.setdefault(collection, {})[path] = new
        for scope, indexes in self._indexes.items():
            if scope.holds(collection):
                indexes.replace(old, new)

    def collection_paths(self) -> Iterable[str]:
        """Return the paths of all collections with documents."""
        return self._collections.keys()

    def indexes(self, scope: Scope) -> Indexes:
        """Return the indexes of a scope; those of the least recently queried scopes are evicted."""
        indexes = self._indexes.get(scope)
        if indexes is None:
            indexes = self._indexes[scope] = Indexes()
            if len(self._indexes) > _MAX_INDEXED_SCOPES:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(scope)
        return indexes

    def count(self, scope: Scope) -> int:
        """Count the documents in ``scope``."""
        return sum(map(len, self._members(scope)))

    def read(self, scope: Scope) -> Iterator[Stored]:
        """Yield the documents in ``scope``, in no order."""
        return chain.from_iterable(members.values() for members in self._members(scope))

    def _members(self, scope: Scope) -> list[dict[str, Stored]]:
        single = scope.single
        if single is not None:
            return [self._collections.get(single, {})]
        return [members for path, members in self._collections.items() if scope.holds(path)]


class Store:
    """All databases; a database is created at its first use, as in Google's emulator."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.clock = Clock()
        self._journal = journal
        self._databases: dict[str, StoredDatabase] = {}

    def database(self, name: str) -> StoredDatabase:
        """Return the database ``projects/P/databases/D``; raises INVALID_ARGUMENT for another form of name."""
        found = self._databases.get(name)
        if found is None:
            found = self._databases[check_database(name)] = StoredDatabase(name, self.clock)
            if self._journal is not None:
                found.listeners.add(functools.partial(_write, self._journal))
        return found


def _write(journal: Journal, commit: Commit) -> None:
    for path, old, new in commit.changes:
        if new is not None:
            journal.stored(path, new.pb, is_new=old is None)
        else:
            journal.write("deleted", path=path)
