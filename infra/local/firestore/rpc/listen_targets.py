"""The targets of a Listen stream: which documents each one holds, and what a commit changes in that.

For each commit a target returns its changed documents (path -> version) and the documents that left it (path -> None).
A query without a limit is matched against the changed documents only. A limit or an offset makes a window, which is
read again after a change in the window or next to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from infra.local.firestore.documents.names import path_in, split_parent
from infra.local.firestore.documents.stored import Commit, Stored
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Pb
from infra.local.firestore.query.parse import Query, parse_query
from infra.local.firestore.storage.run_query import Earlier, run
from infra.local.firestore.storage.store import StoredDatabase

Effects = dict[str, Stored | None]


class Target(Protocol):
    """One added target."""

    def start(self) -> Effects:
        """Return all documents of the target."""

    def resume(self, earlier: Earlier) -> None:
        """Restore the state of the client's copy; ``earlier`` has the old versions of the documents that changed."""

    def effects(self, commit: Commit) -> Effects:
        """Return the changes by ``commit``, which is already stored."""


@dataclass
class DocumentsTarget:
    """A set of documents by path; a missing one is sent as deleted at the start."""

    database: StoredDatabase
    paths: frozenset[str]

    def start(self) -> Effects:
        return {path: self.database.documents.get(path) for path in sorted(self.paths)}

    def resume(self, earlier: Earlier) -> None:
        """Do nothing: every change is sent, and the old version does not matter."""

    def effects(self, commit: Commit) -> Effects:
        return {change.path: change.new for change in commit.changes if change.path in self.paths}


@dataclass
class QueryTarget:
    """All results of a query without limit or offset; it has no state, as a change contains the old version."""

    database: StoredDatabase
    query: Query

    def start(self) -> Effects:
        return {document.path: document for document in run(self.database, self.query)}

    def resume(self, earlier: Earlier) -> None:
        """Do nothing: the target has no state."""

    def effects(self, commit: Commit) -> Effects:
        effects: Effects = {}
        for path, old, new in commit.changes:
            if new is not None and self.query.matches(new):
                effects[path] = new
            elif old is not None and self.query.matches(old):
                effects[path] = None
        return effects


@dataclass
class WindowTarget:
    """The results of a query with a limit or an offset."""

    database: StoredDatabase
    query: Query
    window: dict[str, Stored] = field(default_factory=dict)

    def start(self) -> Effects:
        self.window = _window(run(self.database, self.query))
        return dict(self.window)

    def resume(self, earlier: Earlier) -> None:
        self.window = _window(run(self.database, self.query, earlier))

    def effects(self, commit: Commit) -> Effects:
        versions = (version for _, old, new in commit.changes for version in (old, new))
        if not any(self.query.matches(version) for version in versions if version is not None):
            return {}
        before, self.window = self.window, _window(run(self.database, self.query))
        effects: Effects = {path: None for path in before if path not in self.window}
        effects.update((path, now) for path, now in self.window.items() if before.get(path) is not now)
        return effects


def _window(documents: Iterable[Stored]) -> dict[str, Stored]:
    return {document.path: document for document in documents}


def parse_target(pb: Pb, database: StoredDatabase) -> Target:
    """Parse a ``Target``; raises INVALID_ARGUMENT."""
    kind = pb.WhichOneof("target_type")
    if kind == "documents":
        return DocumentsTarget(database, frozenset(path_in(database.name, name) for name in pb.documents.documents))
    if kind != "query":
        raise invalid_argument("A target names neither a query nor documents.")
    name, parent = split_parent(pb.query.parent)
    if name != database.name:
        raise invalid_argument(f"The target reads {name}, but the stream listens to {database.name}.")
    query = parse_query(pb.query.structured_query, name, parent)
    if query.limit is None and not query.offset:
        return QueryTarget(database, query)
    return WindowTarget(database, query)
