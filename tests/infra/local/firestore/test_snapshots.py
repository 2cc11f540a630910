"""``on_snapshot`` of Google's client, on documents, collections and queries."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.support.waiting import wait_until


class Snapshots:
    """Collects the reports of ``on_snapshot``: the current ids, and every change."""

    def __init__(self, watched: Any) -> None:
        self.ids: list[str] | None = None
        self.changes: list[list[tuple[str, str]]] = []
        self._watch = watched.on_snapshot(self._take)

    def _take(self, documents: list[Any], changes: list[Any], _: Any) -> None:
        self.changes.append([(change.type.name, change.document.id) for change in changes])
        self.ids = [document.id for document in documents if document.exists]

    def expect(self, *ids: str) -> None:
        wait_until(lambda: self.ids == list(ids), f"the snapshot of {list(ids)}")

    def close(self) -> None:
        self._watch.unsubscribe()


@pytest.fixture
def watch() -> Iterator[Callable[[Any], Snapshots]]:
    """Watch a document, collection or query until the test ends."""
    watches: list[Snapshots] = []

    def start(watched: Any) -> Snapshots:
        watches.append(Snapshots(watched))
        return watches[-1]

    yield start
    for one in watches:
        one.close()


Watch = Callable[[Any], Snapshots]


def test_a_watched_document_is_followed(client: firestore.Client, watch: Watch) -> None:
    document = client.document("c/d")
    seen = watch(document)
    seen.expect()
    document.set({"n": 1})
    seen.expect("d")
    document.delete()
    seen.expect()


def test_a_watched_collection_is_followed(client: firestore.Client, watch: Watch) -> None:
    client.document("c/a").set({})
    seen = watch(client.collection("c"))
    seen.expect("a")
    client.document("c/b").set({})
    seen.expect("a", "b")
    client.document("other/x").set({})
    client.document("c/b/sub/x").set({})
    client.document("c/a").delete()
    seen.expect("b")


def test_a_watched_query_follows_what_enters_and_leaves(client: firestore.Client, watch: Watch) -> None:
    collection = client.collection("c")
    # Ascending, because the client sorts the documents itself and ignores a descending order.
    seen = watch(collection.where(filter=FieldFilter("n", ">", 1)).order_by("n"))
    seen.expect()
    collection.document("a").set({"n": 2})
    seen.expect("a")
    collection.document("b").set({"n": 3})
    seen.expect("a", "b")
    collection.document("a").update({"n": 4})
    seen.expect("b", "a")
    collection.document("b").update({"n": 1})
    seen.expect("a")


def test_a_watched_window_is_refilled(client: firestore.Client, watch: Watch) -> None:
    collection = client.collection("c")
    for number in (1, 2, 3):
        collection.document(str(number)).set({"n": number})
    seen = watch(collection.order_by("n").limit(2))
    seen.expect("1", "2")
    collection.document("0").set({"n": 0})
    seen.expect("0", "1")
    collection.document("9").set({"n": 9})
    collection.document("1").delete()
    seen.expect("0", "2")
