"""Read, decide and write a document that others write too: optimistic concurrency with a bounded number of tries.

Owns the retry loop and the usual precondition. The caller decides what is read, and under which precondition it writes.
"""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound
from google.cloud.firestore import LastUpdateOption, WriteBatch

from infra.errors import BusyError
from infra.firestore.client import WRITE_SECONDS, Database, Snapshot
from infra.firestore.error_mapping import firestore_errors

# The codes of a precondition that no longer holds: another writer updated, created or deleted the document.
_CONFLICTS = (FailedPrecondition, Aborted, AlreadyExists, NotFound)
_MIN_PAUSE_SECONDS = 0.01
_MAX_PAUSE_SECONDS = 0.1

S = TypeVar("S")
T = TypeVar("T")


def compare_and_set(
    database: Database,
    read: Callable[[], S],
    change: Callable[[S, WriteBatch], T],
    *,
    task: str,
    busy: str,
    max_tries: int = 10,
) -> T:
    """Read, let ``change`` fill a batch, commit it; start again with ``read`` if another writer was faster.

    Returns the value that ``change`` returned for the committed batch, or for a batch that it left empty, which is not
    committed. ``change`` may run several times: its only effects are the writes in the batch. One write at least needs
    a precondition: ``put_if_unchanged``, ``LastUpdateOption(snapshot.update_time)``, ``ExistsOption``, or ``create``.

    ``task`` completes a sentence for the log ("changing user ana"). After ``max_tries``, raises BusyError (503) with
    the sentence ``busy``. Raises StoreError if a commit fails for another reason, and all that ``read`` and ``change``
    raise.
    """
    for tries_left in reversed(range(max_tries)):
        batch = database.documents.batch()
        outcome = change(read(), batch)
        if not len(batch) or _commit(batch, task):
            return outcome
        if tries_left:
            # Random pauses spread the writers that compete for one document.
            time.sleep(random.uniform(_MIN_PAUSE_SECONDS, _MAX_PAUSE_SECONDS))  # noqa: S311 - not a secret
    raise BusyError(busy)


def put_if_unchanged(batch: WriteBatch, document: Snapshot, fields: dict[str, Any]) -> None:
    """Write the fields on condition that the document is still as it was read, or still absent."""
    if document.exists:
        batch.update(document.reference, fields, LastUpdateOption(document.update_time))
    else:
        batch.create(document.reference, fields)


def _commit(batch: WriteBatch, task: str) -> bool:
    """Commit; return False, with nothing written, if a precondition no longer holds."""
    with firestore_errors(task):
        try:
            batch.commit(retry=None, timeout=WRITE_SECONDS)
        except _CONFLICTS:
            return False
    return True
