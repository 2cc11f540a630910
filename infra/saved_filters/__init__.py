"""Saved filters, shared by all users: ``filters/{id}``. The id is made from the name, so that each name exists once.

One of them can be the default, which the list opens with. Each change is written in one batch with its audit entry.
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
from infra.history.audit import record_in_batch
from infra.messages.visible_text import is_visible
from infra.query import parse
from infra.query.list_arguments import ListArguments
from infra.saved_filters.colouring import COLOURS, MAX_COLOURED, colour_problem

MAX_FILTERS = 100
MAX_NAME_CHARACTERS = 80
# Two users who save concurrently can exceed the limit, so reading has a limit as well.
_MAX_READ = 2 * MAX_FILTERS
_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_GONE = "There is no such filter; another user may have deleted it."


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """List arguments with a name.

    ``created_at`` is aware UTC; ``default_since`` is None unless it is the default. ``colour`` may be empty.
    """

    id: str
    name: str
    arguments: ListArguments
    created_by: str
    created_at: datetime
    default_since: datetime | None = None
    colour: str = ""


class SavedFilters:
    """The saved filters of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SavedFilter]:
        """Return all saved filters by name; a document without a name is skipped. Raises StoreError."""
        with firestore_errors("listing filters"):
            documents = self._collection.limit(_MAX_READ).stream(retry=None, timeout=READ_SECONDS)
            filters = [filter_of(document.id, document.to_dict()) for document in documents]
        named = [saved for saved in filters if saved.name]
        return sorted(named, key=lambda saved: (saved.name.casefold(), saved.id))

    def save(self, name: str, arguments: ListArguments, *, by: str, colour: str = "") -> SavedFilter:
        """Save list arguments under a name, perhaps with a colour.

        Raises InputError (400), QueryError (400), DocumentExistsError (409), StoreError.

        A query that the search box refuses is refused here with the same sentence.
        """
        name = " ".join(name.split())
        _check(name, arguments)
        filters = self.all()
        _check_colour(colour, arguments, filters)
        if len(filters) >= MAX_FILTERS:
            raise InputError("name", f"is one too many: {MAX_FILTERS} filters are saved. Delete one first.")
        saved = SavedFilter(filter_id(name), name, arguments, by, datetime.now(UTC), colour=colour)
        batch = self._database.documents.batch()
        batch.create(self._collection.document(saved.id), _fields(saved))
        self._record(batch, by, "filter.save", saved)
        try:
            self._commit(batch, "saving a filter")
        except DocumentExistsError as exc:
            raise DocumentExistsError(f"There is a filter {name!r} already: delete it, or change the name.") from exc
        return saved

    def delete(self, document: str, *, by: str) -> SavedFilter:
        """Delete one and return it. Raises DocumentNotFoundError (404), StoreError."""
        deleted = self._get(document)
        batch = self._database.documents.batch()
        batch.delete(self._collection.document(deleted.id), ExistsOption(True))
        self._record(batch, by, "filter.delete", deleted)
        self._commit(batch, "deleting a filter")
        return deleted

    def set_colour(self, document: str, colour: str, *, by: str) -> None:
        """Mark the matches of a filter in lists with a colour, or no longer with an empty one.

        Raises InputError (400), and as ``delete``.
        """
        filters = self.all()
        chosen = next((saved for saved in filters if saved.id == document), None)
        if chosen is None:
            raise DocumentNotFoundError(_GONE)
        _check_colour(colour, chosen.arguments, [saved for saved in filters if saved is not chosen])
        batch = self._database.documents.batch()
        batch.update(self._collection.document(chosen.id), {"colour": colour})
        detail = f"{chosen.name}: {colour or 'none'}"
        record_in_batch(self._database, batch, by, "filter.colour", f"filters/{chosen.id}", detail)
        self._commit(batch, "choosing a filter's colour")

    def set_default(self, document: str, *, by: str) -> SavedFilter:
        """Make this one the only default of the list. Raises as ``delete``."""
        filters = self.all()
        chosen = next((saved for saved in filters if saved.id == document), None)
        if chosen is None:
            raise DocumentNotFoundError(_GONE)
        batch = self._database.documents.batch()
        self._unmark(batch, [saved for saved in filters if saved is not chosen])
        # If two users choose concurrently, the later choice wins: see ``default_of``.
        batch.update(self._collection.document(chosen.id), {"default_since": SERVER_TIMESTAMP})
        self._record(batch, by, "filter.default", chosen)
        self._commit(batch, "choosing the default filter")
        return chosen

    def clear_default(self, *, by: str) -> None:
        """Remove the default: the list opens with all messages. Raises StoreError."""
        marked = [saved for saved in self.all() if saved.default_since]
        if not marked:
            return
        batch = self._database.documents.batch()
        self._unmark(batch, marked)
        detail = "none: the list opens with everything"
        record_in_batch(self._database, batch, by, "filter.default", "filters", detail)
        self._commit(batch, "clearing the default filter")

    @property
    def _collection(self) -> Any:
        return self._database.documents.collection("filters")

    def _get(self, document: str) -> SavedFilter:
        # The id comes from an address: any other text must not reach a document's path.
        if _ID.fullmatch(document):
            with firestore_errors("reading a filter"):
                stored = self._collection.document(document).get(retry=None, timeout=READ_SECONDS)
            if stored.exists:
                return filter_of(stored.id, stored.to_dict())
        raise DocumentNotFoundError(_GONE)

    def _unmark(self, batch: Any, filters: list[SavedFilter]) -> None:
        for saved in filters:
            if saved.default_since:
                batch.update(self._collection.document(saved.id), {"default_since": None})

    def _record(self, batch: Any, by: str, what: str, saved: SavedFilter) -> None:
        detail = f"{saved.name}: {saved.arguments.query or 'everything'}"
        record_in_batch(self._database, batch, by, what, f"filters/{saved.id}", detail)

    def _commit(self, batch: Any, doing: str) -> None:
        try:
            with firestore_errors(doing):
                batch.commit(retry=None, timeout=WRITE_SECONDS)
        except DocumentNotFoundError as exc:
            # Deleted between reading and writing; nothing of the batch is written.
            raise DocumentNotFoundError("Another user deleted a filter just now. Look, and try again.") from exc


def default_of(filters: list[SavedFilter]) -> SavedFilter | None:
    """Return the one that was made the default last; None if there is none."""
    marked = [(saved.default_since, saved.id, saved) for saved in filters if saved.default_since]
    return max(marked)[2] if marked else None


def filter_id(name: str) -> str:
    """Return the id of the filter with a name; case is ignored."""
    return hashlib.sha256(name.casefold().encode()).hexdigest()[:32]


def filter_of(document: str, fields: dict[str, Any]) -> SavedFilter:
    """Return the filter in a document's fields. Fields of a wrong type, set in the console, count as empty."""
    columns = fields.get("columns")
    arguments = ListArguments(
        _text(fields, "query"),
        _text(fields, "subscription"),
        tuple(column for column in columns if isinstance(column, str)) if isinstance(columns, list) else (),
    )
    return SavedFilter(
        document,
        _text(fields, "name"),
        arguments,
        _text(fields, "created_by"),
        _time(fields, "created_at") or datetime(1970, 1, 1, tzinfo=UTC),
        _time(fields, "default_since"),
        _text(fields, "colour"),
    )


def _fields(saved: SavedFilter) -> dict[str, Any]:
    return {
        "name": saved.name,
        "query": saved.arguments.query,
        "subscription": saved.arguments.subscription,
        "columns": list(saved.arguments.columns),
        "created_by": saved.created_by,
        "created_at": SERVER_TIMESTAMP,
        "default_since": None,
        "colour": saved.colour,
    }


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _time(fields: dict[str, Any], name: str) -> datetime | None:
    value = fields.get(name)
    return value if isinstance(value, datetime) else None


def _check(name: str, arguments: ListArguments) -> None:
    if not name:
        raise InputError("name", "is missing. Give the filter a name that others understand.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise InputError("name", f"has {len(name)} characters; the maximum is {MAX_NAME_CHARACTERS}.")
    if not is_visible(name):
        raise InputError("name", "contains an invisible character.")
    if arguments == ListArguments():
        raise InputError("q", "is empty, and so are subscription and columns: there is nothing to save.")
    parse(arguments.query, datetime.now(UTC))


def _check_colour(colour: str, arguments: ListArguments, others: list[SavedFilter]) -> None:
    if not colour:
        return
    if colour not in COLOURS:
        raise InputError("colour", f"is one of {', '.join(COLOURS)}, or empty; found {colour[:20]!r}.")
    if problem := colour_problem(arguments):
        raise InputError("colour", f"{problem}.")
    if sum(bool(saved.colour) for saved in others) >= MAX_COLOURED:
        raise InputError("colour", f"is one too many: {MAX_COLOURED} filters have one. Remove another one first.")
