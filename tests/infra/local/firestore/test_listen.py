"""Listen: the messages of a stream, their order, and the cost of a client that does not read."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from tests.support.firestore.targets import HEARTBEAT_SECONDS, FirestoreThread
from tests.support.waiting import wait_until


def where(field: str, operator: str, value: object) -> FieldFilter:
    return FieldFilter(field, operator, value)


class Listener:
    """One raw Listen stream."""

    def __init__(self, client: firestore.Client) -> None:
        self._database = client._database_string
        self._parent = f"{client._database_string}/documents"
        self._requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._api = client._firestore_api
        self._metadata = client._rpc_metadata
        self._stream: Any = None

    def send(self, **change: Any) -> None:
        self._requests.put({"database": self._database, **change})
        if self._stream is None:
            # The call returns with the first response, so a request must be sent first.
            self._stream = self._api.listen(iter(self._requests.get, None), metadata=self._metadata)

    def add(self, target_id: int, query: Any, **resume: Any) -> None:
        whole = query._query() if isinstance(query, firestore.CollectionReference) else query
        asked = {"parent": self._parent, "structured_query": whole._to_protobuf()}
        self.send(add_target={"target_id": target_id, "query": asked, **resume})

    def add_documents(self, target_id: int, *paths: str, **resume: Any) -> None:
        names = [f"{self._parent}/{path}" for path in paths]
        self.send(add_target={"target_id": target_id, "documents": {"documents": names}, **resume})

    def until_snapshot(self) -> list[str]:
        """Return the messages before the next snapshot of the whole stream, one line each, without idle snapshots."""
        lines = [self.told()]
        while (line := self.line()) != "NO_CHANGE":
            lines.append(line)
        return lines

    def told(self) -> str:
        """Return the next message that is not a snapshot."""
        while (line := self.line()) == "NO_CHANGE":
            pass
        return line

    def line(self) -> str:
        self.last = next(self._stream)
        kind = self.last._pb.WhichOneof("response_type")
        said = getattr(self.last, kind)
        if kind == "target_change":
            return " ".join([said.target_change_type.name, *map(str, said.target_ids)])
        name = said.document.name if kind == "document_change" else said.document
        inside = list(said.target_ids) if kind == "document_change" else []
        removed = [f"-{target_id}" for target_id in said.removed_target_ids]
        return " ".join([kind.removeprefix("document_"), name.rpartition("documents/")[2], *map(str, inside), *removed])

    def end(self) -> None:
        """End the requests."""
        self._requests.put(None)

    def read_to_the_end(self) -> None:
        for _ in self._stream:
            pass

    def close(self) -> None:
        self.end()
        if self._stream is not None:
            self._stream.cancel()


@pytest.fixture
def firestore_target(firestore_thread: FirestoreThread) -> Any:
    """The local Firestore only: Google's emulator answers every change with RESET and the whole result."""
    return firestore_thread


@pytest.fixture
def listener(client: firestore.Client) -> Iterator[Listener]:
    listener = Listener(client)
    yield listener
    listener.close()


def test_a_target_is_added_filled_and_current(client: firestore.Client, listener: Listener) -> None:
    client.document("c/a").set({})
    client.document("c/b").set({})
    listener.add(7, client.collection("c"))
    assert listener.until_snapshot() == ["ADD 7", "change c/a 7", "change c/b 7", "CURRENT 7"]
    assert listener.last.target_change.read_time
    assert listener.last.target_change.resume_token


def test_changes_of_one_commit_arrive_together(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()
    batch = client.batch()
    for name in ("c/a", "c/b", "other/x"):
        batch.set(client.document(name), {})
    batch.commit()
    client.document("c/a").delete()
    assert listener.until_snapshot() == ["change c/a 1", "change c/b 1"]
    assert listener.until_snapshot() == ["delete c/a -1"]


def test_document_leaving_the_result_is_removed_and_not_deleted(client: firestore.Client, listener: Listener) -> None:
    client.document("c/a").set({"n": 1})
    listener.add(1, client.collection("c").where(filter=where("n", "==", 1)))
    listener.until_snapshot()
    client.document("c/a").set({"n": 2})
    assert listener.until_snapshot() == ["remove c/a -1"]


def test_one_message_serves_all_targets_of_a_document(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.add(2, client.collection("c").where(filter=where("n", ">", 1)))
    listener.add_documents(3, "c/a")
    for _ in range(3):
        listener.until_snapshot()
    client.document("c/a").set({"n": 2})
    assert listener.until_snapshot() == ["change c/a 1 2 3"]
    client.document("c/a").set({"n": 1})
    assert listener.until_snapshot() == ["change c/a 1 3 -2"]
    client.document("c/b").set({"n": 1})
    assert listener.until_snapshot() == ["change c/b 1"]


def test_documents_target_reports_missing_documents(client: firestore.Client, listener: Listener) -> None:
    client.document("c/a").set({})
    listener.add_documents(5, "c/a", "c/none")
    assert listener.until_snapshot() == ["ADD 5", "change c/a 5", "delete c/none -5", "CURRENT 5"]


def test_removed_target_sends_nothing(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.add(2, client.collection("d"))
    for _ in range(2):
        listener.until_snapshot()
    listener.send(remove_target=1)
    assert listener.told() == "REMOVE 1"
    client.document("c/a").set({})
    client.document("d/a").set({})
    assert listener.until_snapshot() == ["change d/a 2"]


def test_once_target_is_removed_when_current(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"), once=True)
    assert listener.until_snapshot() == ["ADD 1", "CURRENT 1"]
    assert listener.told() == "REMOVE 1"


def test_an_invalid_target_is_removed_with_its_cause(client: firestore.Client, listener: Listener) -> None:
    listener.add(4, client.collection("c").where(filter=where("n", "in", list(range(31)))))
    assert listener.told() == "REMOVE 4"
    assert listener.last.target_change.cause.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "31 values" in listener.last.target_change.cause.message
    listener.add(5, client.collection("c"))
    assert listener.until_snapshot() == ["ADD 5", "CURRENT 5"]


def changed_while_away(client: firestore.Client) -> None:
    client.document("c/kept").set({"n": 5})
    client.document("c/deleted").delete()
    client.document("c/left").set({"n": 0})
    client.document("c/new").set({"n": 6})
    client.document("c/passing").set({"n": 7})
    client.document("c/passing").delete()


@pytest.mark.parametrize("by", ["resume_token", "read_time"])
def test_resumed_target_gets_only_changes(client: firestore.Client, listener: Listener, by: str) -> None:
    for name, number in {"same": 1, "kept": 2, "deleted": 3, "left": 4}.items():
        client.document("c", name).set({"n": number})
    query = client.collection("c").where(filter=where("n", ">", 0))
    listener.add(1, query)
    listener.until_snapshot()
    position = {by: getattr(listener.last.target_change, by)}
    listener.send(remove_target=1)
    assert listener.told() == "REMOVE 1"
    changed_while_away(client)
    listener.add(1, query, **position)
    told = listener.until_snapshot()
    assert (told[0], told[-1]) == ("ADD 1", "CURRENT 1")
    assert sorted(told[1:-1]) == ["change c/kept 1", "change c/new 1", "delete c/deleted -1", "remove c/left -1"]


def test_resumed_window_gets_only_changes(client: firestore.Client, listener: Listener) -> None:
    for number in range(1, 5):
        client.document(f"c/{number}").set({"n": number})
    query = client.collection("c").order_by("n").limit(3)
    listener.add(1, query)
    listener.until_snapshot()
    token = listener.last.target_change.resume_token
    listener.send(remove_target=1)
    assert listener.told() == "REMOVE 1"
    client.document("c/0").set({"n": 0})
    client.document("c/2").delete()
    listener.add(1, query, resume_token=token)
    assert sorted(listener.until_snapshot()) == ["ADD 1", "CURRENT 1", "change c/0 1", "delete c/2 -1"]


def test_a_token_from_before_the_server_began_resets_the_target(client: firestore.Client, listener: Listener) -> None:
    client.document("c/a").set({})
    listener.add(1, client.collection("c"), resume_token=(1).to_bytes(8, "big"))
    assert listener.until_snapshot() == ["ADD 1", "RESET 1", "change c/a 1", "CURRENT 1"]


def test_idle_stream_gets_heartbeat_snapshots(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()
    first = listener.last.target_change.read_time
    started = time.monotonic()
    assert listener.line() == "NO_CHANGE"
    assert time.monotonic() - started > HEARTBEAT_SECONDS / 2
    assert listener.last.target_change.read_time > first


def test_half_closed_client_gets_its_first_result(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.end()
    assert listener.until_snapshot() == ["ADD 1", "CURRENT 1"]
    listener.read_to_the_end()


def test_a_second_target_with_the_same_id_ends_the_stream(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.add(1, client.collection("d"))
    with pytest.raises(exceptions.InvalidArgument, match="has a target 1"):
        listener.read_to_the_end()


def listeners(firestore_thread: FirestoreThread, client: firestore.Client) -> int:
    database = client._database_string
    return firestore_thread.call(lambda: len(firestore_thread.firestore.store.database(database).listeners))


def test_cancelled_stream_is_removed_at_once(
    client: firestore.Client, listener: Listener, firestore_thread: FirestoreThread
) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()
    assert listeners(firestore_thread, client) == 1
    listener.close()
    wait_until(lambda: listeners(firestore_thread, client) == 0, "the end of the listener", 2)


def test_slow_client_loses_the_stream_and_can_resume(
    client: firestore.Client, listener: Listener, firestore_thread: FirestoreThread
) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()
    token = listener.last.target_change.resume_token
    document = client.document("c/large")
    for number in range(100):
        document.set({"n": number, "b": bytes(1_000_000)})
    wait_until(lambda: listeners(firestore_thread, client) == 0, "the end of the listener")
    with pytest.raises(exceptions.ResourceExhausted, match="does not keep up"):
        listener.read_to_the_end()
    again = Listener(client)
    again.add(1, client.collection("c"), resume_token=token)
    assert again.until_snapshot()[-2:] == ["change c/large 1", "CURRENT 1"]
    again.close()


def test_no_change_is_lost_between_many_writers(client: firestore.Client, listener: Listener) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()

    def write(writer: int) -> None:
        for number in range(50):
            client.document(f"c/{writer}-{number}").set({"n": number})

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for one in writers:
        one.start()
    told = [line for _ in range(200) for line in listener.until_snapshot()]
    for one in writers:
        one.join()
    assert sorted(told) == sorted(f"change c/{writer}-{number} 1" for writer in range(4) for number in range(50))


def test_listener_ignores_other_databases(client: firestore.Client, listener: Listener, api: FirestoreClient) -> None:
    listener.add(1, client.collection("c"))
    listener.until_snapshot()
    name = f"projects/{client.project}/databases/other/documents/c/a"
    api.commit({"database": f"projects/{client.project}/databases/other", "writes": [{"update": {"name": name}}]})
    client.document("c/b").set({})
    assert listener.until_snapshot() == ["change c/b 1"]
