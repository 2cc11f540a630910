"""The Firestore service: the table of RPCs and their handlers."""

import grpc

from infra.local.firestore import protos
from infra.local.firestore.rpc.list import Lists
from infra.local.firestore.rpc.listen import Listening
from infra.local.firestore.rpc.read import Reading
from infra.local.firestore.rpc.transactions import Transactions
from infra.local.firestore.rpc.write import Writing
from infra.local.firestore.storage.store import Store
from infra.local.journal import Journal
from infra.local.rpc import Bidirectional, Method, ServerStream, Service, Unary

SERVICE = "google.firestore.v1.Firestore"

# Options for grpc.aio.server: gRPC's limit of 4 MiB would refuse requests that Firestore accepts. This service checks
# the limit of 10 MiB.
SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
)


class FirestoreServer:
    """An in-memory Firestore for one machine.

    An idle Listen stream gets an empty snapshot every ``heartbeat_seconds``; the service does so every 30 s.
    """

    def __init__(self, heartbeat_seconds: float = 30.0, journal: Journal | None = None) -> None:
        self._journal = journal or Journal()
        self.store = Store(journal)
        self._heartbeat_seconds = heartbeat_seconds

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add the service to ``server``; create the server with ``SERVER_OPTIONS``."""
        server.add_generic_rpc_handlers((Service(SERVICE, self._methods()),))

    def _methods(self) -> list[Method]:
        transactions = Transactions()
        reading = Reading(self.store, transactions)
        writing = Writing(self.store, transactions)
        lists = Lists(self.store, transactions)
        listening = Listening(self.store, self._heartbeat_seconds, self._journal)
        return [
            Unary("Commit", protos.CommitRequest, writing.commit),
            Unary("BatchWrite", protos.BatchWriteRequest, writing.batch_write),
            Unary("CreateDocument", protos.CreateDocumentRequest, writing.create_document),
            Unary("UpdateDocument", protos.UpdateDocumentRequest, writing.update_document),
            Unary("DeleteDocument", protos.DeleteDocumentRequest, writing.delete_document),
            Unary("GetDocument", protos.GetDocumentRequest, reading.get_document),
            ServerStream("BatchGetDocuments", protos.BatchGetDocumentsRequest, reading.batch_get),
            ServerStream("RunQuery", protos.RunQueryRequest, reading.run_query),
            ServerStream("RunAggregationQuery", protos.RunAggregationQueryRequest, reading.run_aggregation),
            Unary("BeginTransaction", protos.BeginTransactionRequest, reading.begin_transaction),
            Unary("Rollback", protos.RollbackRequest, reading.rollback),
            Unary("ListDocuments", protos.ListDocumentsRequest, lists.documents),
            Unary("ListCollectionIds", protos.ListCollectionIdsRequest, lists.collection_ids),
            Bidirectional("Listen", protos.ListenRequest, listening.listen),
        ]
