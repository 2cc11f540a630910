"""Small collections in the order of time, newest first, by cursor: the audit and the refused pushes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import Query

from infra.firestore.client import READ_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors
from infra.messages.cursor import Cursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A filter has no index of its own: so many documents are looked at for one page.
_MOST_READ = 1_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One document; ``at`` is aware UTC."""

    id: str
    at: datetime
    fields: dict[str, Any]

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""
        return Cursor(self.at, self.id)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Entries, newest first. ``older`` is where to go on; None at the end. ``cut``: not all that was asked was read."""

    entries: list[HistoryEntry]
    older: Cursor | None
    cut: bool = False


class History:
    """One collection of documents with a field ``at``."""

    def __init__(self, database: Database, collection: str) -> None:
        self._database = database
        self._collection = collection

    def page(
        self, wanted: Callable[[HistoryEntry], bool], *, before: Cursor | None = None, limit: int = 50
    ) -> HistoryPage:
        """Up to ``limit`` entries that are wanted, older than ``before`` (the newest when None). Raises StoreError."""
        found: list[HistoryEntry] = []
        read = 0
        while read < _MOST_READ:
            some = self._read(before, _AT_ONCE)
            read += len(some)
            for entry in some:
                if wanted(entry):
                    if len(found) == limit:
                        return HistoryPage(found, found[-1].cursor)
                    found.append(entry)
            if len(some) < _AT_ONCE:
                return HistoryPage(found, None)
            before = some[-1].cursor
        return HistoryPage(found, before, cut=True)

    def _read(self, before: Cursor | None, limit: int) -> list[HistoryEntry]:
        collection = self._database.documents.collection(self._collection)
        query = collection.order_by("at", direction=Query.DESCENDING).order_by("__name__", direction=Query.DESCENDING)
        if before:
            query = query.start_after({"at": before.at, "__name__": collection.document(before.id)})
        with firestore_errors(f"reading {self._collection}"):
            found = query.limit(limit).stream(retry=None, timeout=READ_SECONDS)
            return [_entry(one) for one in found]


def _entry(document: Any) -> HistoryEntry:
    fields: dict[str, Any] = document.to_dict()
    at = fields.pop("at", None)
    # Somebody may have made a document by hand.
    # The sum is a plain datetime: the client's own class counts nanoseconds.
    return HistoryEntry(document.id, _EPOCH + (at - _EPOCH) if isinstance(at, datetime) else _EPOCH, fields)
