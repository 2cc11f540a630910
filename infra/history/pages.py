"""Pages of small collections by time, newest first, by cursor: the audit and the refused pushes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import Query

from infra.firestore.client import READ_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors
from infra.messages.cursor import Cursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No index serves the filter of a page, so at most this number of documents is read for one page.
_MAX_READ = 1_000
_READ_SIZE = 200


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One document. ``at`` is aware UTC."""

    id: str
    at: datetime
    fields: dict[str, Any]

    @property
    def cursor(self) -> Cursor:
        """The entry's position."""
        return Cursor(self.at, self.id)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Entries, newest first. ``older`` starts the next page, None at the end; ``cut`` if the reading stopped early."""

    entries: list[HistoryEntry]
    older: Cursor | None
    cut: bool = False


class History:
    """One collection of documents with a field ``at``."""

    def __init__(self, database: Database, collection: str) -> None:
        self._database = database
        self._collection = collection

    def page(
        self, is_wanted: Callable[[HistoryEntry], bool], *, before: Cursor | None = None, limit: int = 50
    ) -> HistoryPage:
        """Return up to ``limit`` wanted entries older than ``before``, or the newest if None. Raises StoreError."""
        entries: list[HistoryEntry] = []
        read = 0
        while read < _MAX_READ:
            chunk = self._read(before, _READ_SIZE)
            read += len(chunk)
            for entry in chunk:
                if is_wanted(entry):
                    if len(entries) == limit:
                        return HistoryPage(entries, entries[-1].cursor)
                    entries.append(entry)
            if len(chunk) < _READ_SIZE:
                return HistoryPage(entries, None)
            before = chunk[-1].cursor
        return HistoryPage(entries, before, cut=True)

    def _read(self, before: Cursor | None, limit: int) -> list[HistoryEntry]:
        collection = self._database.documents.collection(self._collection)
        query = collection.order_by("at", direction=Query.DESCENDING).order_by("__name__", direction=Query.DESCENDING)
        if before:
            query = query.start_after({"at": before.at, "__name__": collection.document(before.id)})
        with firestore_errors(f"reading {self._collection}"):
            documents = query.limit(limit).stream(retry=None, timeout=READ_SECONDS)
            return [_entry(document) for document in documents]


def _entry(document: Any) -> HistoryEntry:
    fields: dict[str, Any] = document.to_dict()
    at = fields.pop("at", None)
    # A document made by hand in the Google Cloud console can lack the time.
    # The sum is a plain datetime: the client's own class counts nanoseconds.
    return HistoryEntry(document.id, _EPOCH + (at - _EPOCH) if isinstance(at, datetime) else _EPOCH, fields)
