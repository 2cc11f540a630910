"""An in-memory Firestore that speaks ``google.firestore.v1.Firestore``, for development and tests.

Google's own clients connect to it through FIRESTORE_EMULATOR_HOST. It refuses with the service's codes, and
answers UNIMPLEMENTED to what it does not do. Each package imports only those to its right::

    rpc ─ storage ─ query ─ documents
"""

from infra.local.firestore.rpc.service import SERVER_OPTIONS, FirestoreServer
from infra.local.firestore.storage.store import Store

__all__ = ["SERVER_OPTIONS", "FirestoreServer", "Store"]
