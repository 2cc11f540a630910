"""The other ways Google's library talks to Firestore: the asynchronous client and the bulk writer."""

import asyncio

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from tests.support.firestore.targets import FirestoreTarget


async def _write_read_and_query(project: str) -> list[int]:
    client = firestore.AsyncClient(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    for number in range(3):
        await client.collection("c").document(str(number)).create({"n": number})
    with pytest.raises(exceptions.AlreadyExists):
        await client.document("c/0").create({})
    found = [document.get("n") async for document in client.collection("c").order_by("n").stream()]
    client.close()  # type: ignore[no-untyped-call]
    return found


def test_the_asynchronous_client_works(
    firestore_target: FirestoreTarget, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_target.host)
    assert asyncio.run(_write_read_and_query(project)) == [0, 1, 2]


def test_the_bulk_writer_writes_everything(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it takes a BatchWrite only with an owner's authorization.")
    writer = client.bulk_writer()
    for number in range(300):
        writer.create(client.document(f"c/{number:03}"), {"n": number})
    writer.close()  # type: ignore[no-untyped-call]
    assert [document.get("n") for document in client.collection("c").stream()] == list(range(300))


def test_a_collection_is_deleted_with_all_below_it(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it takes a BatchWrite only with an owner's authorization.")
    for path in ("c/1", "c/1/sub/x", "c/1/sub/x/deep/y", "c/2", "other/1"):
        client.document(path).set({})
    client.recursive_delete(client.collection("c"))
    assert [collection.id for collection in client.collections()] == ["other"]


def test_unsupported_method_is_refused_by_name(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it has its own set of methods.")
    request = {
        "parent": f"{client._database_string}/documents",
        "structured_query": {"from_": [{"collection_id": "c"}]},
    }
    with pytest.raises(exceptions.MethodNotImplemented, match="PartitionQuery"):
        client._firestore_api.partition_query(request)
