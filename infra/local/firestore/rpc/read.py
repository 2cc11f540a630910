"""The RPCs that read: GetDocument, BatchGetDocuments, RunQuery, RunAggregationQuery, the lists, and transactions."""

from collections.abc import AsyncGenerator

from google.protobuf.empty_pb2 import Empty

from infra.local.firestore.documents.field_paths import project
from infra.local.firestore.documents.names import path_in, split_name, split_parent
from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.errors import not_found
from infra.local.firestore.protos import (
    BatchGetDocumentsResponse,
    BeginTransactionResponse,
    Pb,
    RunAggregationQueryResponse,
    RunQueryResponse,
)
from infra.local.firestore.query.parse import parse_query
from infra.local.firestore.rpc.transactions import Transactions
from infra.local.firestore.rpc.write import masked
from infra.local.firestore.storage.aggregates import aggregate
from infra.local.firestore.storage.clock import get_time, put_time
from infra.local.firestore.storage.read_views import ReadView
from infra.local.firestore.storage.store import Store


class Reading:
    """Handlers of the reading RPCs over one store."""

    def __init__(self, store: Store, transactions: Transactions) -> None:
        self._store = store
        self._transactions = transactions

    async def get_document(self, request: Pb) -> Pb:
        database, path = split_name(request.name)
        view, _ = await self._view(database, request)
        found = view.get(path)
        if found is None:
            raise not_found(f"Document {request.name!r} not found.")
        return masked(found.pb, request)

    async def batch_get(self, request: Pb) -> AsyncGenerator[Pb, None]:
        view, begun = await self._view(request.database, request)
        paths = [path_in(request.database, name) for name in dict.fromkeys(request.documents)]
        found = [(path, view.get(path)) for path in paths]
        if begun and not found:
            yield BatchGetDocumentsResponse(transaction=begun)
        for path, document in found:
            response = BatchGetDocumentsResponse(transaction=begun)
            begun = b""
            put_time(response.read_time, view.read_time)
            if document is None:
                response.missing = f"{request.database}/documents/{path}"
            else:
                response.found.CopyFrom(masked(document.pb, request))
            yield response

    async def run_query(self, request: Pb) -> AsyncGenerator[Pb, None]:
        database, parent = split_parent(request.parent)
        query = parse_query(request.structured_query, database, parent)
        view, begun = await self._view(database, request)
        found = view.run(query)
        if begun or not found:
            opening = RunQueryResponse(transaction=begun)
            put_time(opening.read_time, view.read_time)
            yield opening
        for document in found:
            response = RunQueryResponse()
            response.document.CopyFrom(_projected(document, query.fields))
            put_time(response.read_time, view.read_time)
            yield response

    async def run_aggregation(self, request: Pb) -> AsyncGenerator[Pb, None]:
        database, parent = split_parent(request.parent)
        asked = request.structured_aggregation_query
        query = parse_query(asked.structured_query, database, parent)
        view, begun = await self._view(database, request)
        response = RunAggregationQueryResponse(transaction=begun)
        put_time(response.read_time, view.read_time)
        for alias, value in aggregate(view, query, asked.aggregations):
            response.result.aggregate_fields[alias].CopyFrom(value)
        yield response

    async def begin_transaction(self, request: Pb) -> Pb:
        transaction = await self._transactions.begin(self._store.database(request.database), request.options)
        return BeginTransactionResponse(transaction=transaction.id)

    async def rollback(self, request: Pb) -> Pb:
        self._transactions.roll_back(request.transaction)
        return Empty()

    async def _view(self, database_name: str, request: Pb) -> tuple[ReadView, bytes]:
        """Return the view for the request, and the id of the transaction that it begins (or nothing)."""
        database = self._store.database(database_name)
        kind = request.WhichOneof("consistency_selector")
        if kind == "transaction":
            return self._transactions.get(database, request.transaction).view(), b""
        if kind == "new_transaction":
            transaction = await self._transactions.begin(database, request.new_transaction)
            return transaction.view(), transaction.id
        return ReadView(database, get_time(request.read_time) if kind == "read_time" else None), b""


def _projected(document: Stored, fields: tuple[tuple[str, ...], ...] | None) -> Pb:
    return document.pb if fields is None else project(document.pb, fields)
