"""The RPCs that write: Commit, BatchWrite, CreateDocument, UpdateDocument and DeleteDocument."""

import secrets
import string
from collections.abc import Iterable

from google.protobuf.empty_pb2 import Empty

from infra.local.firestore.documents.field_paths import parse_path, project
from infra.local.firestore.documents.names import check_document, check_segments, path_in, split_name, split_parent
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import BatchWriteResponse, CommitResponse, Pb, Write
from infra.local.firestore.rpc.transactions import Transactions
from infra.local.firestore.storage.apply_write import Times, apply_write, target_of
from infra.local.firestore.storage.clock import put_time
from infra.local.firestore.storage.limits import check_request
from infra.local.firestore.storage.store import Store, StoredDatabase
from infra.local.rpc import RpcError

_ID_CHARACTERS = string.ascii_letters + string.digits
_INVALID_ARGUMENT = 3


class Writing:
    """Handlers of the writing RPCs over one store."""

    def __init__(self, store: Store, transactions: Transactions) -> None:
        self._store = store
        self._transactions = transactions

    async def commit(self, request: Pb) -> Pb:
        check_request(request)
        database = self._store.database(request.database)
        if request.transaction:
            self._transactions.check_commit(database, request.transaction, request.writes)
        return _commit(database, request.writes)

    async def batch_write(self, request: Pb) -> Pb:
        """Apply each write separately; a malformed write or a repeated document refuses the whole request."""
        check_request(request)
        database = self._store.database(request.database)
        paths = [path_in(database.name, target_of(write)) for write in request.writes]
        if len(set(paths)) != len(paths):
            raise invalid_argument("A BatchWrite cannot write to the same document twice.")
        times = _times(database)
        response = BatchWriteResponse()
        staged: dict[str, Stored | None] = {}
        for path, write in zip(paths, request.writes, strict=True):
            try:
                staged[path], result = apply_write(write, path, database.documents.get(path), times)
                response.write_results.append(result)
                response.status.add()
            except RpcError as refusal:
                if refusal.code.value[0] == _INVALID_ARGUMENT:
                    raise
                response.write_results.add()
                response.status.add(code=refusal.code.value[0], message=refusal.details)
        database.commit(staged, times.commit)
        return response

    async def create_document(self, request: Pb) -> Pb:
        database, parent = split_parent(request.parent)
        check_segments(request.collection_id, request.collection_id)
        # The client's automatic ids also have 20 letters and digits.
        chosen = request.document_id or "".join(secrets.choice(_ID_CHARACTERS) for _ in range(20))
        path = "/".join(part for part in (parent, request.collection_id, chosen) if part)
        name = f"{database}/documents/{path}"
        check_document(path, name)
        write = Write(update=request.document)
        write.update.name = name
        write.current_document.exists = False
        return self._write_one(self._store.database(database), write, request)

    async def update_document(self, request: Pb) -> Pb:
        database, _ = split_name(request.document.name)
        write = Write(update=request.document)
        if request.HasField("update_mask"):
            write.update_mask.CopyFrom(request.update_mask)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        return self._write_one(self._store.database(database), write, request)

    async def delete_document(self, request: Pb) -> Pb:
        database, _ = split_name(request.name)
        write = Write(delete=request.name)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        _commit(self._store.database(database), [write])
        return Empty()

    def _write_one(self, database: StoredDatabase, write: Pb, request: Pb) -> Pb:
        _commit(database, [write])
        written = database.documents[path_in(database.name, write.update.name)].pb
        return masked(written, request)


def _times(database: StoredDatabase) -> Times:
    now = database.clock.tick()
    return Times(request=now, commit=now)


def _commit(database: StoredDatabase, writes: Iterable[Pb]) -> Pb:
    """Apply all writes or none; several writes to the same document are allowed."""
    times = _times(database)
    staged: dict[str, Stored | None] = {}
    results: list[Pb] = []
    for write in writes:
        path = path_in(database.name, target_of(write))
        current = staged[path] if path in staged else database.documents.get(path)
        staged[path], result = apply_write(write, path, current, times)
        results.append(result)
    database.commit(staged, times.commit)
    response = CommitResponse(write_results=results)
    put_time(response.commit_time, times.commit)
    return response


def masked(document: Pb, request: Pb) -> Pb:
    """Return ``document`` with the fields of ``request.mask``, or with all fields when there is no mask."""
    if not request.HasField("mask"):
        return document
    return project(document, [parse_path(text) for text in request.mask.field_paths])
