"""Saved filters, shared by all who sign in: ``filters/{id}``, the id made of the name, so that a name is there once.

One of them may be the default, which the list opens with. Every change is written in one batch with its audit entry.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP, ExistsOption

from infra.errors import DocumentExistsError, DocumentNotFoundError, InputError
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import audit_fields
from infra.query import parse
from infra.query.list_arguments import ListArguments

MAX_FILTERS = 100
MAX_NAME_CHARACTERS = 80
# Two who save at the same moment may pass the limit; what is read stays bounded all the same.
_MAX_READ = 2 * MAX_FILTERS
_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_GONE = "There is no such filter; somebody may have deleted it."


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A view with a name. ``created_at`` is aware UTC; ``default_since`` is None unless it was made the default."""

    id: str
    name: str
    view: ListArguments
    created_by: str
    created_at: datetime
    default_since: datetime | None = None


class SavedFilters:
    """The saved filters of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedFilter]:
        """All of them by name; what somebody left without a name in the console is not one. Raises StoreError."""
        with firestore_errors("listing filters"):
            found = self._collection.limit(_MAX_READ).stream(retry=None, timeout=READ_SECONDS)
            filters = [filter_of(one.id, one.to_dict()) for one in found]
        return sorted((one for one in filters if one.name), key=lambda one: (one.name.casefold(), one.id))

    def save(self, name: str, view: ListArguments, *, by: str) -> SavedFilter:
        """Save a view under a name. Raises InputError (400), QueryError (400), DocumentExistsError (409), StoreError.

        A filter that the search box would refuse is refused here with the same sentence.
        """
        name = " ".join(name.split())
        _check(name, view)
        if len(self.all()) >= MAX_FILTERS:
            raise InputError("name", f"is one too many: {MAX_FILTERS} filters are saved. Delete one first.")
        saved = SavedFilter(filter_id(name), name, view, by, datetime.now(UTC))
        batch = self._database.documents.batch()
        batch.create(self._collection.document(saved.id), _fields(saved))
        self._record(batch, by, "filter.save", saved)
        try:
            self._commit(batch, "saving a filter")
        except DocumentExistsError as exc:
            raise DocumentExistsError(f"There is a filter {name!r} already: delete it, or change the name.") from exc
        return saved

    def delete(self, document: str, *, by: str) -> SavedFilter:
        """Delete one and return what it was. Raises DocumentNotFoundError (404), StoreError."""
        gone = self._get(document)
        batch = self._database.documents.batch()
        batch.delete(self._collection.document(gone.id), ExistsOption(True))
        self._record(batch, by, "filter.delete", gone)
        self._commit(batch, "deleting a filter")
        return gone

    def set_default(self, document: str, *, by: str) -> SavedFilter:
        """Let the list open with this one, and with no other. Raises as ``delete``."""
        filters = self.all()
        chosen = next((one for one in filters if one.id == document), None)
        if chosen is None:
            raise DocumentNotFoundError(_GONE)
        batch = self._database.documents.batch()
        self._unmark(batch, [one for one in filters if one is not chosen])
        # Of two who choose at the same moment the later one wins: see ``default_of``.
        batch.update(self._collection.document(chosen.id), {"default_since": SERVER_TIMESTAMP})
        self._record(batch, by, "filter.default", chosen)
        self._commit(batch, "choosing the default filter")
        return chosen

    def clear_default(self, *, by: str) -> None:
        """Let the list open with everything. Raises StoreError."""
        marked = [one for one in self.all() if one.default_since]
        if not marked:
            return
        batch = self._database.documents.batch()
        self._unmark(batch, marked)
        said = audit_fields(by, "filter.default", "filters", "none: the list opens with everything")
        batch.create(self._audit(), said)
        self._commit(batch, "clearing the default filter")

    @property
    def _collection(self) -> Any:
        return self._database.documents.collection("filters")

    def _audit(self) -> Any:
        return self._database.documents.collection("audit").document()

    def _get(self, document: str) -> SavedFilter:
        # Whatever else stands in an address must not reach a document's path.
        if _ID.fullmatch(document):
            with firestore_errors("reading a filter"):
                found = self._collection.document(document).get(retry=None, timeout=READ_SECONDS)
            if found.exists:
                return filter_of(found.id, found.to_dict())
        raise DocumentNotFoundError(_GONE)

    def _unmark(self, batch: Any, filters: list[SavedFilter]) -> None:
        for one in filters:
            if one.default_since:
                batch.update(self._collection.document(one.id), {"default_since": None})

    def _record(self, batch: Any, by: str, what: str, saved: SavedFilter) -> None:
        said = f"{saved.name}: {saved.view.query or 'everything'}"
        batch.create(self._audit(), audit_fields(by, what, f"filters/{saved.id}", said))

    def _commit(self, batch: Any, doing: str) -> None:
        try:
            with firestore_errors(doing):
                batch.commit(retry=None, timeout=WRITE_SECONDS)
        except DocumentNotFoundError as exc:
            # Between reading and writing; nothing of the batch is written.
            raise DocumentNotFoundError("Somebody deleted a filter at the same moment. Look, and try again.") from exc


def default_of(filters: list[SavedFilter]) -> SavedFilter | None:
    """The one that was made the default last; None when there is none."""
    marked = [(one.default_since, one.id, one) for one in filters if one.default_since]
    return max(marked)[2] if marked else None


def filter_id(name: str) -> str:
    """The id of the filter with a name; capitals make no other name."""
    return hashlib.sha256(name.casefold().encode()).hexdigest()[:32]


def filter_of(document: str, fields: dict[str, Any]) -> SavedFilter:
    """The filter in a document's fields, whatever somebody made of them in the console."""
    columns = fields.get("columns")
    view = ListArguments(
        _text(fields, "query"),
        _text(fields, "subscription"),
        tuple(one for one in columns if isinstance(one, str)) if isinstance(columns, list) else (),
    )
    return SavedFilter(
        document,
        _text(fields, "name"),
        view,
        _text(fields, "created_by"),
        _time(fields, "created_at") or datetime(1970, 1, 1, tzinfo=UTC),
        _time(fields, "default_since"),
    )


def _fields(saved: SavedFilter) -> dict[str, Any]:
    return {
        "name": saved.name,
        "query": saved.view.query,
        "subscription": saved.view.subscription,
        "columns": list(saved.view.columns),
        "created_by": saved.created_by,
        "created_at": SERVER_TIMESTAMP,
        "default_since": None,
    }


def _text(fields: dict[str, Any], name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def _time(fields: dict[str, Any], name: str) -> datetime | None:
    found = fields.get(name)
    return found if isinstance(found, datetime) else None


def _check(name: str, view: ListArguments) -> None:
    if not name:
        raise InputError("name", "is missing. Give the filter a name that others understand.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise InputError("name", f"has {len(name)} characters; {MAX_NAME_CHARACTERS} are the most.")
    if not name.isprintable():
        raise InputError("name", "holds a character that cannot be seen.")
    if view == ListArguments():
        raise InputError("q", "is empty, and so is the rest: there is nothing to save.")
    parse(view.query, datetime.now(UTC))
