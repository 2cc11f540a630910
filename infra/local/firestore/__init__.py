"""An in-memory Firestore that speaks ``google.firestore.v1.Firestore``, for development and tests.

Google's clients connect to it through FIRESTORE_EMULATOR_HOST. It refuses requests with the service's status codes, and
answers UNIMPLEMENTED to methods and options that it lacks. Each package imports only those to its right::

    rpc ─ storage ─ query ─ documents
"""

from infra.local.firestore.rpc.service import SERVER_OPTIONS, FirestoreServer
from infra.local.firestore.storage.store import Store

__all__ = ["SERVER_OPTIONS", "FirestoreServer", "Store"]
