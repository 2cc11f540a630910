"""Reads a payload that is stored in chunks one chunk at a time, so that one chunk of it is in memory."""

from collections.abc import Iterator
from typing import Any

from google.cloud.firestore_v1 import types

from infra.errors import PayloadGoneError
from infra.firestore.client import Database
from infra.firestore.error_mapping import firestore_errors
from infra.messages.message import Message

_BatchGet: Any = types.BatchGetDocumentsRequest.pb()
_READ_SECONDS = 10.0
# A small field: whether a chunk is there is asked without its data.
_SMALL_FIELD = "expire_at"


def payload_parts(database: Database, message: Message) -> Iterator[bytes]:
    """Return the parts of a payload in chunks, in their order; each is read when it is asked for.

    Raises PayloadGoneError (410) at once if one is missing, StoreError now or with any part.
    """
    head = f"{database.root}/messages/{message.id}/chunks"
    names = [f"{head}/{index:04d}" for index in range(message.chunks)]
    there = sum(1 for _ in _documents(database, names, [_SMALL_FIELD]))
    if there < len(names):
        raise gone(message, len(names) - there)
    return _each(database, names, message)


def gone(message: Message, missing: int) -> PayloadGoneError:
    """Return the error for chunks that have expired."""
    return PayloadGoneError(f"{missing} of {message.chunks} parts of message {message.id} are gone; it is expiring.")


def _each(database: Database, names: list[str], message: Message) -> Iterator[bytes]:
    for name in names:
        part = next((found.fields["data"].bytes_value for found in _documents(database, [name])), None)
        if part is None:
            raise gone(message, 1)
        yield part


def _documents(database: Database, names: list[str], only: list[str] | None = None) -> Iterator[Any]:
    request = _BatchGet(database=database.name, documents=names)
    if only:
        request.mask.field_paths.extend(only)
    with firestore_errors("reading a payload"):
        replies = database.api.batch_get_documents(
            request, retry=None, timeout=_READ_SECONDS, metadata=database.metadata
        )
        for reply in replies:
            raw = types.BatchGetDocumentsResponse.pb(reply)
            if raw.HasField("found"):
                yield raw.found
