"""The Firestore service: which RPC goes to which handler."""

import grpc

from infra.local.firestore import wire
from infra.local.firestore.listen import Listening
from infra.local.firestore.lists import Lists
from infra.local.firestore.reading import Reading
from infra.local.firestore.store import Store
from infra.local.firestore.transactions import Transactions
from infra.local.firestore.writing import Writing
from infra.local.rpc import Bidirectional, Method, ServerStream, Service, Unary

SERVICE = "google.firestore.v1.Firestore"

# Pass these to grpc.aio.server: gRPC's own limit of 4 MiB would refuse what Firestore takes, and the limit of 10 MiB is
# this service's to answer.
SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
)


class FirestoreServer:
    """An in-memory Firestore for one machine.

    An idle Listen stream gets an empty snapshot every ``heartbeat_seconds``; the service does so every 30 s.
    """

    def __init__(self, heartbeat_seconds: float = 30.0) -> None:
        self.store = Store()
        self._heartbeat_seconds = heartbeat_seconds

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``, which should have been made with ``SERVER_OPTIONS``."""
        server.add_generic_rpc_handlers((Service(SERVICE, self._methods()),))

    def _methods(self) -> list[Method]:
        transactions = Transactions()
        reading = Reading(self.store, transactions)
        writing = Writing(self.store, transactions)
        lists = Lists(self.store, transactions)
        listening = Listening(self.store, self._heartbeat_seconds)
        return [
            Unary("Commit", wire.CommitRequest, writing.commit),
            Unary("BatchWrite", wire.BatchWriteRequest, writing.batch_write),
            Unary("CreateDocument", wire.CreateDocumentRequest, writing.create_document),
            Unary("UpdateDocument", wire.UpdateDocumentRequest, writing.update_document),
            Unary("DeleteDocument", wire.DeleteDocumentRequest, writing.delete_document),
            Unary("GetDocument", wire.GetDocumentRequest, reading.get_document),
            ServerStream("BatchGetDocuments", wire.BatchGetDocumentsRequest, reading.batch_get),
            ServerStream("RunQuery", wire.RunQueryRequest, reading.run_query),
            ServerStream("RunAggregationQuery", wire.RunAggregationQueryRequest, reading.run_aggregation),
            Unary("BeginTransaction", wire.BeginTransactionRequest, reading.begin_transaction),
            Unary("Rollback", wire.RollbackRequest, reading.rollback),
            Unary("ListDocuments", wire.ListDocumentsRequest, lists.documents),
            Unary("ListCollectionIds", wire.ListCollectionIdsRequest, lists.collection_ids),
            Bidirectional("Listen", wire.ListenRequest, listening.listen),
        ]
