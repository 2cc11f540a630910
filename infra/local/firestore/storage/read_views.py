"""The view of a database for one request: now, at an earlier time, or tracked for a transaction."""

from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import failed_precondition, invalid_argument
from infra.local.firestore.query.parse import Query
from infra.local.firestore.storage.run_query import Earlier, count, document_at, run
from infra.local.firestore.storage.store import StoredDatabase


class ReadView:
    """A database now, or as it was at ``time`` (microseconds).

    Use it for one request, without an await between its calls.
    """

    def __init__(self, database: StoredDatabase, time: int | None = None) -> None:
        self.database = database
        self.read_time = database.clock.read() if time is None else time
        self._earlier = _earlier(database, time)

    def get(self, path: str) -> Stored | None:
        return document_at(self.database, path, self._earlier)

    def run(self, query: Query) -> list[Stored]:
        return run(self.database, query, self._earlier)

    def count(self, query: Query, up_to: int | None) -> int:
        return count(self.database, query, self._earlier, up_to)


def _earlier(database: StoredDatabase, time: int | None) -> Earlier:
    if time is None:
        return {}
    if time > database.clock.read():
        raise invalid_argument("The read time lies in the future.")
    earlier = database.journal.before(time)
    if earlier is None:
        raise failed_precondition("The read time is too far back; that history is no longer kept.")
    return earlier


class Reads:
    """The documents and results that a read-write transaction has read."""

    def __init__(self) -> None:
        self._documents: dict[str, Stored | None] = {}
        self._queries: list[tuple[Query, int]] = []

    def saw(self, path: str, document: Stored | None) -> None:
        self._documents.setdefault(path, document)

    def ran(self, query: Query, time: int) -> None:
        self._queries.append((query, time))

    def changed(self, database: StoredDatabase) -> str | None:
        """Describe the first read that is out of date; None when all are current."""
        for path, seen in self._documents.items():
            if database.documents.get(path) is not seen:
                return f"{path} changed after it was read"
        if any(_result_changed(database, query, time) for query, time in self._queries):
            return "the result of a query changed after it was read"
        return None


def _result_changed(database: StoredDatabase, query: Query, time: int) -> bool:
    commits = database.journal.since(time)
    if commits is None:
        return True
    versions = (one for commit in commits for change in commit.changes for one in (change.old, change.new))
    return any(query.matches(version) for version in versions if version is not None)


class TrackedView(ReadView):
    """The current state, recording each read."""

    def __init__(self, database: StoredDatabase, reads: Reads) -> None:
        super().__init__(database)
        self._reads = reads

    def get(self, path: str) -> Stored | None:
        found = super().get(path)
        self._reads.saw(path, found)
        return found

    def run(self, query: Query) -> list[Stored]:
        self._reads.ran(query, self.read_time)
        return super().run(query)

    def count(self, query: Query, up_to: int | None) -> int:
        self._reads.ran(query, self.read_time)
        return super().count(query, up_to)
