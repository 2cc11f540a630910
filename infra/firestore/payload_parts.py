"""Reads payloads: whole, or one chunk at a time, so that only that one is in memory."""

from collections.abc import Iterator
from typing import Any

from google.cloud.firestore_v1 import types

from infra.errors import PayloadGoneError
from infra.firestore.client import Database
from infra.firestore.error_mapping import firestore_errors
from infra.messages.message import Message

_BatchGet: Any = types.BatchGetDocumentsRequest.pb()
_CHUNK_SECONDS = 10.0
_WHOLE_SECONDS = 30.0
# To learn whether a chunk exists, the reader asks for this small field only, not for the chunk's data.
_SMALL_FIELD = "expire_at"


def whole_payload(database: Database, message: Message) -> bytes:
    """Return a payload. Raises PayloadGoneError (410) if a chunk is missing, StoreError."""
    if not message.chunks:
        return message.data or b""
    names = _names(database, message)
    # Replies come in any order; the names tell the place of each piece.
    found = _documents(database, names, _WHOLE_SECONDS)
    pieces = {chunk.name: chunk.fields["data"].bytes_value for chunk in found}
    if len(pieces) != len(names):
        raise _gone(message, len(names) - len(pieces))
    return b"".join(pieces[name] for name in names)


def payload_parts(database: Database, message: Message) -> Iterator[bytes]:
    """Return the parts of a payload in chunks, in their order; each is read when it is asked for.

    Raises PayloadGoneError (410) at once if one is missing, StoreError now or with any part.
    """
    names = _names(database, message)
    there = sum(1 for _ in _documents(database, names, _CHUNK_SECONDS, [_SMALL_FIELD]))
    if there < len(names):
        raise _gone(message, len(names) - there)
    return _each(database, names, message)


def _names(database: Database, message: Message) -> list[str]:
    return [f"{database.root}/messages/{message.id}/chunks/{index:04d}" for index in range(message.chunks)]


def _gone(message: Message, missing: int) -> PayloadGoneError:
    return PayloadGoneError(f"{missing} of {message.chunks} parts of message {message.id} are gone; it is expiring.")


def _each(database: Database, names: list[str], message: Message) -> Iterator[bytes]:
    for name in names:
        part = next((found.fields["data"].bytes_value for found in _documents(database, [name], _CHUNK_SECONDS)), None)
        if part is None:
            raise _gone(message, 1)
        yield part


def _documents(database: Database, names: list[str], seconds: float, only: list[str] | None = None) -> Iterator[Any]:
    request = _BatchGet(database=database.name, documents=names)
    if only:
        request.mask.field_paths.extend(only)
    with firestore_errors("reading a payload"):
        replies = database.api.batch_get_documents(request, retry=None, timeout=seconds, metadata=database.metadata)
        for reply in replies:
            raw = types.BatchGetDocumentsResponse.pb(reply)
            if raw.HasField("found"):
                yield raw.found
