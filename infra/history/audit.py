"""The audit: append-only documents in ``audit`` that say who did what. This module never changes or deletes one."""

from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP

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
            document.create(audit_fields(who, what, target, detail), retry=None, timeout=WRITE_SECONDS)


def audit_fields(who: str, what: str, target: str, detail: str = "") -> dict[str, Any]:
    """Return the fields of an entry, to write it in one batch with the recorded change."""
    return {"at": SERVER_TIMESTAMP, "who": who, "what": what, "target": target, "detail": detail}
