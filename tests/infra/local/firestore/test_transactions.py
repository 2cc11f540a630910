"""Transactions: their reads, when they are aborted, and that the client's retry succeeds."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import Document, Write

from tests.support.firestore.targets import FirestoreTarget


def test_a_transaction_reads_and_then_writes(client: firestore.Client) -> None:
    document = client.document("c/d")
    document.set({"n": 1})

    @firestore.transactional
    def double(transaction: firestore.Transaction) -> int:
        found: int = document.get(transaction=transaction).get("n")
        transaction.update(document, {"n": found * 2})
        return found

    assert double(client.transaction()) == 1
    assert document.get().get("n") == 2


def test_contending_transactions_all_succeed(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("its locks time out while transactions queue for them.")
    document = client.document("c/counter")
    document.set({"n": 0})

    @firestore.transactional
    def count(transaction: firestore.Transaction) -> None:
        transaction.update(document, {"n": document.get(transaction=transaction).get("n") + 1})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: count(client.transaction(max_attempts=10)), range(20)))
    assert document.get().get("n") == 20


def test_an_error_in_the_function_rolls_back(client: firestore.Client) -> None:
    document = client.document("c/d")

    @firestore.transactional
    def fail(transaction: firestore.Transaction) -> None:
        transaction.set(document, {"n": 1})
        raise LookupError

    with pytest.raises(LookupError):
        fail(client.transaction())
    assert not document.get().exists


def begin(client: firestore.Client, api: FirestoreClient) -> bytes:
    transaction: bytes = api.begin_transaction({"database": client._database_string}).transaction
    return transaction


def put(client: firestore.Client, path: str) -> Write:
    return Write(update=Document(name=f"{client._database_string}/documents/{path}"))


def commit(client: firestore.Client, api: FirestoreClient, transaction: bytes, *paths: str) -> Any:
    writes = [put(client, path) for path in paths]
    return api.commit({"database": client._database_string, "transaction": transaction, "writes": writes})


def optimistic(target: FirestoreTarget) -> None:
    target.not_google("it locks pessimistically and lets the other write wait.")


def test_a_commit_after_a_read_document_changed_is_aborted(
    client: firestore.Client, api: FirestoreClient, firestore_target: FirestoreTarget
) -> None:
    optimistic(firestore_target)
    transaction = begin(client, api)
    name = f"{client._database_string}/documents/c/d"
    list(
        api.batch_get_documents({"database": client._database_string, "documents": [name], "transaction": transaction})
    )
    client.document("c/d").set({"n": 1})
    with pytest.raises(exceptions.Aborted, match="c/d changed"):
        commit(client, api, transaction, "c/other")
    assert not client.document("c/other").get().exists


def test_a_commit_after_a_query_gained_a_result_is_aborted(
    client: firestore.Client, api: FirestoreClient, firestore_target: FirestoreTarget
) -> None:
    optimistic(firestore_target)
    query = client.collection("c").where(filter=FieldFilter("n", "==", 1))
    transaction = begin(client, api)
    request = {
        "parent": f"{client._database_string}/documents",
        "structured_query": query._to_protobuf(),
        "transaction": transaction,
    }
    list(api.run_query(request))
    client.document("c/unrelated").set({"n": 2})
    client.document("c/phantom").set({"n": 1})
    with pytest.raises(exceptions.Aborted, match="result of a query"):
        commit(client, api, transaction, "c/other")


def test_a_read_can_begin_the_transaction(client: firestore.Client, api: FirestoreClient) -> None:
    name = f"{client._database_string}/documents/c/d"
    request = {"database": client._database_string, "documents": [name], "new_transaction": {"read_write": {}}}
    (reply,) = [reply for reply in api.batch_get_documents(request) if reply.transaction]
    commit(client, api, reply.transaction, "c/d")
    assert client.document("c/d").get().exists


def test_a_finished_transaction_is_no_longer_valid(client: firestore.Client, api: FirestoreClient) -> None:
    transaction = begin(client, api)
    commit(client, api, transaction, "c/d")
    with pytest.raises(exceptions.InvalidArgument):
        commit(client, api, transaction, "c/d")
    with pytest.raises(exceptions.InvalidArgument):
        commit(client, api, b"never begun", "c/d")


def test_read_only_transaction_reads_one_point_in_time(
    client: firestore.Client, firestore_target: FirestoreTarget
) -> None:
    firestore_target.not_google("it locks what a read-only transaction reads.")
    document = client.document("c/d")
    document.set({"n": 1})
    transaction = client.transaction(read_only=True)
    transaction._begin()
    document.set({"n": 2})
    client.document("c/new").set({"n": 1})
    assert document.get(transaction=transaction).get("n") == 1
    assert [found.id for found in client.collection("c").stream(transaction=transaction)] == ["d"]
    transaction._rollback()
    assert document.get().get("n") == 2


def test_client_reports_a_transaction_it_gives_up(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    optimistic(firestore_target)
    document = client.document("c/d")

    @firestore.transactional
    def lose(transaction: firestore.Transaction) -> None:
        document.get(transaction=transaction)
        document.set({"n": firestore.Increment(1)}, merge=True)
        transaction.set(document, {"n": 0})

    with pytest.raises(ValueError, match="Failed to commit transaction in 3 attempts"):
        lose(client.transaction(max_attempts=3))
    assert document.get().get("n") == 3


def test_a_read_only_transaction_cannot_write(client: firestore.Client, api: FirestoreClient) -> None:
    request = {"database": client._database_string, "options": {"read_only": {}}}
    transaction = api.begin_transaction(request).transaction
    with pytest.raises(exceptions.InvalidArgument):
        commit(client, api, transaction, "c/d")
    assert not client.document("c/d").get().exists
