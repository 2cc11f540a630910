"""Small collections in the order of time, newest first, by cursor: the audit and the refused pushes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore import Query

from infra.firestore.client import READ_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,18})-([A-Za-z0-9]{1,64})")
# A filter has no index of its own: so many documents are looked at for one page.
_MOST_READ = 1_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A position: (at, document id), written ``<microseconds>-<id>``."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read what ``str()`` wrote. Raises ValueError for anything else."""
        found = _PLACE.fullmatch(text)
        if not found or not found.group(1).isascii():
            raise ValueError("a position is microseconds since 1970, a hyphen and a document's id")
        try:
            return cls(_EPOCH + timedelta(microseconds=int(found.group(1))), found.group(2))
        except OverflowError as exc:
            raise ValueError("a position's time lies beyond the year 9999") from exc


@dataclass(frozen=True, slots=True)
class Entry:
    """One document; ``at`` is aware UTC."""

    id: str
    at: datetime
    fields: dict[str, Any]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.at, self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first. ``older`` is where to go on; None at the end. ``cut``: not all that was asked was read."""

    entries: list[Entry]
    older: Place | None
    cut: bool = False


class Journal:
    """One collection of documents with a field ``at``."""

    def __init__(self, database: Database, collection: str) -> None:
        self._database = database
        self._collection = collection

    def page(self, wanted: Callable[[Entry], bool], *, before: Place | None = None, limit: int = 50) -> Page:
        """Up to ``limit`` entries that are wanted, older than ``before`` (the newest when None). Raises StoreError."""
        found: list[Entry] = []
        read = 0
        while read < _MOST_READ:
            some = self._read(before, _AT_ONCE)
            read += len(some)
            for entry in some:
                if wanted(entry):
                    if len(found) == limit:
                        return Page(found, found[-1].place)
                    found.append(entry)
            if len(some) < _AT_ONCE:
                return Page(found, None)
            before = some[-1].place
        return Page(found, before, cut=True)

    def _read(self, before: Place | None, limit: int) -> list[Entry]:
        collection = self._database.documents.collection(self._collection)
        query = collection.order_by("at", direction=Query.DESCENDING).order_by("__name__", direction=Query.DESCENDING)
        if before:
            query = query.start_after({"at": before.at, "__name__": collection.document(before.id)})
        with firestore_errors(f"reading {self._collection}"):
            found = query.limit(limit).stream(retry=None, timeout=READ_SECONDS)
            return [_entry(one) for one in found]


def _entry(document: Any) -> Entry:
    fields: dict[str, Any] = document.to_dict()
    at = fields.pop("at", None)
    # Somebody may have made a document by hand.
    # The sum is a plain datetime: the client's own class counts nanoseconds.
    return Entry(document.id, _EPOCH + (at - _EPOCH) if isinstance(at, datetime) else _EPOCH, fields)
