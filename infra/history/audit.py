"""The audit: append-only documents in ``audit`` that say who did what. This module never changes or deletes one."""

from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP, WriteBatch

from infra.firestore.client import WRITE_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors


class Audit:
    """The audit of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, who: str, what: str, target: str, detail: str = "") -> None:
        """Add one entry. ``what`` is a stable word pair such as ``delivery.stop``. Raises StoreError."""
        with firestore_errors(f"recording {what}"):
            document = self._database.documents.collection("audit").document()
            document.create(_fields(who, what, target, detail), retry=None, timeout=WRITE_SECONDS)


def record_in_batch(database: Database, batch: WriteBatch, who: str, what: str, target: str, detail: str = "") -> None:
    """Add one entry to the batch of the recorded change: both are written, or neither."""
    batch.create(database.documents.collection("audit").document(), _fields(who, what, target, detail))


def _fields(who: str, what: str, target: str, detail: str) -> dict[str, Any]:
    return {"at": SERVER_TIMESTAMP, "who": who, "what": what, "target": target, "detail": detail}
