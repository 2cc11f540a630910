"""The RPCs that list: ListDocuments (also documents that exist only as parents) and ListCollectionIds."""

import re
from collections.abc import Iterable, Iterator

from infra.local.firestore.documents.names import check_segments, split_parent
from infra.local.firestore.errors import invalid_argument
from infra.local.firestore.protos import Document, ListCollectionIdsResponse, ListDocumentsResponse, Pb, StructuredQuery
from infra.local.firestore.query.parse import Query, parse_query
from infra.local.firestore.rpc.transactions import Transactions
from infra.local.firestore.rpc.write import masked
from infra.local.firestore.storage.clock import get_time
from infra.local.firestore.storage.read_views import ReadView
from infra.local.firestore.storage.store import Store, StoredDatabase

_DEFAULT_PAGE = 300


class Lists:
    """Handlers of the listing RPCs over one store. A page token is the offset of the next page."""

    def __init__(self, store: Store, transactions: Transactions) -> None:
        self._store = store
        self._transactions = transactions

    async def documents(self, request: Pb) -> Pb:
        database_name, parent = split_parent(request.parent)
        database = self._store.database(database_name)
        query = _query(request, database_name, parent)
        documents = [masked(found.pb, request) for found in self._view(database, request).run(query)]
        if request.show_missing:
            if request.order_by:
                raise invalid_argument("show_missing cannot be combined with order_by.")
            documents = sorted([*documents, *_missing(database, query)], key=lambda document: document.name)
        page, token = _page(documents, request)
        return ListDocumentsResponse(documents=page, next_page_token=token)

    async def collection_ids(self, request: Pb) -> Pb:
        database_name, parent = split_parent(request.parent)
        ids = sorted(set(_children(self._store.database(database_name), parent)))
        page, token = _page(ids, request)
        return ListCollectionIdsResponse(collection_ids=page, next_page_token=token)

    def _view(self, database: StoredDatabase, request: Pb) -> ReadView:
        kind = request.WhichOneof("consistency_selector")
        if kind == "transaction":
            return self._transactions.get(database, request.transaction).view()
        return ReadView(database, get_time(request.read_time) if kind == "read_time" else None)


def _query(request: Pb, database: str, parent: str) -> Query:
    if not request.collection_id:
        raise invalid_argument("The local cloud lists one collection at a time; collection_id is empty.")
    check_segments(request.collection_id, request.collection_id)
    query = StructuredQuery()
    query.from_.add(collection_id=request.collection_id)
    for part in filter(None, (part.strip() for part in request.order_by.split(","))):
        field, _, direction = part.partition(" ")
        order = query.order_by.add(direction=2 if direction.strip().lower() == "desc" else 1)
        order.field.field_path = field
    return parse_query(query, database, parent)


def _missing(database: StoredDatabase, query: Query) -> Iterator[Pb]:
    """Yield the documents that do not exist but have subcollections."""
    prefix = f"{query.scope.single}/"
    paths = {
        prefix + path[len(prefix) :].partition("/")[0]
        for path in database.collection_paths()
        if path.startswith(prefix)
    }
    return (Document(name=f"{database.name}/documents/{path}") for path in paths if path not in database.documents)


def _children(database: StoredDatabase, parent: str) -> Iterator[str]:
    prefix = f"{parent}/" if parent else ""
    for path in database.collection_paths():
        if path.startswith(prefix):
            yield path[len(prefix) :].partition("/")[0]


def _page(items: list[Pb], request: Pb) -> tuple[Iterable[Pb], str]:
    start = int(request.page_token) if re.fullmatch("[0-9]{1,15}", request.page_token) else 0
    stop = start + (request.page_size if request.page_size > 0 else _DEFAULT_PAGE)
    return items[start:stop], str(stop) if stop < len(items) else ""
