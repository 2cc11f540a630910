"""One Listen RPC: takes targets, yields small typed changes.

Uses Google's raw client and is read by one thread. Reopening, state and back-off belong to ``web.live.listener``.
Google's ``on_snapshot`` is not used: it sorts all watched documents again at every change (20 ms with 100 documents,
785 ms with 10,000), ends silently when a callback fails, and reopens 700 times a second when refused.
"""

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

import grpc
from google.api_core import exceptions as google
from google.cloud.firestore_v1 import types

from infra.errors import StoreError
from infra.firestore.client import Database
from infra.firestore.encoding import encode
from infra.firestore.error_mapping import store_error
from infra.firestore.message_reader import MessageReader, Selection

TargetEvent = Literal["unchanged", "added", "removed", "current", "reset"]

_Request: Any = types.ListenRequest.pb()
_Response: Any = types.ListenResponse.pb()
_Query: Any = types.StructuredQuery.pb()
_google: Any = google  # its functions carry no types
_EVENTS: dict[int, TargetEvent] = {0: "unchanged", 1: "added", 2: "removed", 3: "current", 4: "reset"}
_TASK = "listening"


@dataclass(frozen=True, slots=True)
class DocumentChanged:
    """A document was added or changed. ``document`` is the raw protobuf; ``id`` the last part of its name."""

    target_ids: tuple[int, ...]
    id: str
    document: Any


@dataclass(frozen=True, slots=True)
class DocumentGone:
    """A document was deleted or no longer matches the query."""

    target_ids: tuple[int, ...]
    id: str


@dataclass(frozen=True, slots=True)
class TargetChanged:
    """An event of targets. No ids means all targets; ``unchanged`` is also the service's keep-alive."""

    target_ids: tuple[int, ...]
    event: TargetEvent


Change = DocumentChanged | DocumentGone | TargetChanged


def messages_since(messages: MessageReader, received_from: datetime, selection: Selection) -> Any:
    """Return the query of messages received at or after ``received_from`` (aware), for the index that pages use."""
    query = messages.query(selection, limit=0)
    added = query.where.composite_filter.filters.add().field_filter
    added.field.field_path = "received_at"
    added.op = types.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL
    added.value.CopyFrom(encode(received_from))
    return query


def whole_collection(name: str) -> Any:
    """Return the query of all documents in a small top-level collection."""
    query = _Query()
    query.from_.add(collection_id=name)
    return query


class Listener:
    """One open Listen stream. ``add`` and ``close`` may be called from any thread; one thread iterates."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closed = False
        self._removed: set[int] = set()
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # The transport's method, as Google's Watch calls it: the client's ``listen`` returns only after the first
        # response, and cannot be cancelled before.
        listen: Any = database.api.transport.listen
        self._call = listen(iter(self._requests.get, None), metadata=database.metadata)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, target_id: int, query: Any) -> None:
        """Watch a query's result under an id that this stream has not used before."""
        request = _Request(database=self._database.name)
        request.add_target.target_id = target_id
        request.add_target.query.parent = self._database.root
        request.add_target.query.structured_query.CopyFrom(query)
        self._requests.put(request)

    def remove(self, target_id: int) -> None:
        """Stop watching a target; changes in flight may still arrive."""
        self._removed.add(target_id)
        self._requests.put(_Request(database=self._database.name, remove_target=target_id))

    def close(self) -> None:
        """End the stream and the iteration."""
        self._closed = True
        # gRPC's thread waits for requests in this queue; cancelling the call does not wake it.
        self._requests.put(None)
        self._call.cancel()

    def __iter__(self) -> Iterator[Change]:
        """Yield all changes until the service or ``close`` ends the stream. Raises StoreError."""
        try:
            for response in self._call:
                change = self._change(types.ListenResponse.pb(response))
                if change:
                    yield change
        except grpc.RpcError as exc:
            if not self._closed:
                raise store_error(_google.from_grpc_error(exc), _TASK) from exc

    def _change(self, response: Any) -> Change | None:
        match response.WhichOneof("response_type"):
            case "document_change":
                change = response.document_change
                if not change.target_ids:  # the document only left targets
                    return DocumentGone(tuple(change.removed_target_ids), _id(change.document.name))
                return DocumentChanged(tuple(change.target_ids), _id(change.document.name), change.document)
            case "document_delete":
                return DocumentGone(
                    tuple(response.document_delete.removed_target_ids), _id(response.document_delete.document)
                )
            case "document_remove":
                return DocumentGone(
                    tuple(response.document_remove.removed_target_ids), _id(response.document_remove.document)
                )
            case "target_change":
                return self._target_change(response.target_change)
            case _:
                return None  # existence filters count documents; our callers do not keep the whole result

    def _target_change(self, change: Any) -> TargetChanged:
        event = _EVENTS.get(change.target_change_type, "unchanged")
        if event == "removed" and not self._removed.issuperset(change.target_ids):
            raise _refusal(change)
        return TargetChanged(tuple(change.target_ids), event)


def _refusal(change: Any) -> StoreError:
    """Return the error of a removed target: a missing index or permission, or an unsupported filter."""
    message = change.cause.message or "Firestore removed the query without a reason"
    cause = _google.from_grpc_status(_status(change.cause.code), message)
    return store_error(cause, _TASK)


def _status(code: int) -> grpc.StatusCode:
    return next((status for status in grpc.StatusCode if status.value[0] == code), grpc.StatusCode.UNKNOWN)


def _id(name: str) -> str:
    return name.rpartition("/")[2]
