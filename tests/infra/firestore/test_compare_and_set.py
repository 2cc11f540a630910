"""Compare-and-set on the local Firestore: no update is lost, and the number of tries is bounded."""

import threading
from collections.abc import Callable

import pytest
from google.cloud.firestore import DocumentReference, LastUpdateOption, WriteBatch

from infra.errors import BusyError, StoreUnavailableError
from infra.firestore.client import Database, Snapshot
from infra.firestore.compare_and_set import compare_and_set


@pytest.fixture
def counter(database: Database, name: str) -> DocumentReference:
    """A new document with the field ``count``."""
    document = database.documents.collection("counters").document(name)
    document.create({"count": 0})
    return document


def increment(before: Snapshot, batch: WriteBatch) -> int:
    """Write count + 1 on condition that the document is as it was read; return the new count."""
    count = int((before.to_dict() or {})["count"]) + 1
    batch.update(before.reference, {"count": count}, LastUpdateOption(before.update_time))
    return count


def count_of(document: DocumentReference) -> object:
    return document.get().get("count")


def run(
    database: Database,
    read: Callable[[], Snapshot],
    change: Callable[[Snapshot, WriteBatch], int] = increment,
    max_tries: int = 10,
) -> int:
    return compare_and_set(database, read, change, task="counting", busy="Try again.", max_tries=max_tries)


def test_write_without_competition_needs_one_read(database: Database, counter: DocumentReference) -> None:
    reads: list[Snapshot] = []

    def read() -> Snapshot:
        reads.append(counter.get())
        return reads[-1]

    assert run(database, read) == 1
    assert (count_of(counter), len(reads)) == (1, 1)


def test_change_runs_again_after_another_writer(database: Database, counter: DocumentReference) -> None:
    seen: list[object] = []

    def change(before: Snapshot, batch: WriteBatch) -> int:
        seen.append(before.get("count"))
        if len(seen) == 1:
            counter.update({"count": 10})
        return increment(before, batch)

    assert run(database, counter.get, change) == 11
    assert (seen, count_of(counter)) == ([0, 10], 11)


def test_concurrent_increments_are_all_counted(database: Database, counter: DocumentReference) -> None:
    threads = [threading.Thread(target=run, args=(database, counter.get, increment, 100)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert count_of(counter) == 8


def test_created_document_of_another_writer_is_a_conflict(database: Database, name: str) -> None:
    document = database.documents.collection("counters").document(name)
    document.create({"count": 1})
    before_it = document.collection("none").document("none").get()
    snapshots = iter([before_it, document.get()])

    def change(before: Snapshot, batch: WriteBatch) -> int:
        if before.exists:
            return increment(before, batch)
        batch.create(document, {"count": 0})
        return 0

    assert run(database, lambda: next(snapshots), change) == 2


def test_document_deleted_after_the_read_is_read_again(database: Database, counter: DocumentReference) -> None:
    before = counter.get()
    counter.delete()
    snapshots = iter([before, counter.get()])

    def change(before: Snapshot, batch: WriteBatch) -> int:
        return increment(before, batch) if before.exists else -1

    assert run(database, lambda: next(snapshots), change) == -1


def test_empty_batch_is_not_committed(database: Database, counter: DocumentReference) -> None:
    assert run(database, counter.get, lambda before, _: int(before.get("count"))) == 0
    assert counter.get().update_time == counter.get().create_time


def test_busy_error_follows_the_last_try(database: Database, counter: DocumentReference) -> None:
    reads: list[Snapshot] = []

    def change(before: Snapshot, batch: WriteBatch) -> int:
        reads.append(before)
        counter.update({"count": -len(reads)})
        return increment(before, batch)

    with pytest.raises(BusyError, match=r"^Try again\.$"):
        run(database, counter.get, change, max_tries=3)
    assert (len(reads), count_of(counter)) == (3, -3)


def test_refused_read_is_not_repeated(database: Database) -> None:
    reads: list[None] = []

    def read() -> Snapshot:
        reads.append(None)
        raise StoreUnavailableError("no")

    with pytest.raises(StoreUnavailableError):
        run(database, read)
    assert len(reads) == 1
