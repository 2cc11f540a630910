"""Writes and their errors: preconditions, masks, transforms, codes, batches."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import BatchWriteRequest, BatchWriteResponse, Document, DocumentMask, Value, Write

from tests.support.firestore.targets import FirestoreTarget

NAN = float("nan")
Call = Callable[[firestore.Client], object]


def stored(client: firestore.Client, path: str = "c/d") -> dict[str, Any] | None:
    found: dict[str, Any] | None = client.document(path).get().to_dict()
    return found


def test_a_document_is_read_back_as_it_was_written(client: firestore.Client) -> None:
    content = {
        "null": None,
        "boolean": True,
        "integer": 2**63 - 1,
        "double": 0.1,
        "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "text": "é\U0001f600\x00",
        "bytes": bytes(range(256)),
        "reference": client.document("x/y"),
        "place": firestore.GeoPoint(1.5, -2.5),
        "array": [1, {"a": []}],
        "map": {"a.b": {"`": "\\"}},
    }
    client.document("c/d").set(content)
    assert stored(client) == content


def test_times_of_a_document_follow_its_writes(client: firestore.Client) -> None:
    document = client.document("c/d")
    created = document.set({"a": 1}).update_time
    changed = document.update({"a": 2}).update_time
    found = document.get()
    assert (found.create_time, found.update_time) == (created, changed)
    assert created != changed


def test_a_write_that_changes_nothing_keeps_the_update_time(client: firestore.Client) -> None:
    document = client.document("c/d")
    assert document.set({"a": 1}).update_time == document.set({"a": 1}).update_time


def test_a_deleted_document_is_gone(client: firestore.Client) -> None:
    client.document("c/d").set({"a": 1})
    client.document("c/d").delete()
    client.document("c/never").delete()
    assert not client.document("c/d").get().exists


@pytest.mark.parametrize(
    ("before", "write", "after"),
    [
        ({"a": 1, "b": 1}, lambda document: document.set({"a": 2}), {"a": 2}),
        ({"a": 1, "b": 1}, lambda document: document.set({"a": 2}, merge=True), {"a": 2, "b": 1}),
        ({"m": {"x": 1, "y": 1}}, lambda document: document.update({"m.x": 2}), {"m": {"x": 2, "y": 1}}),
        ({"m": {"x": 1}}, lambda document: document.update({"m": {"y": 2}}), {"m": {"y": 2}}),
        ({"a": 1, "m": {"x": 1}}, lambda document: document.update({"m.x": firestore.DELETE_FIELD}), {"a": 1, "m": {}}),
        ({"a": 1}, lambda document: document.update({"gone.x": firestore.DELETE_FIELD}), {"a": 1}),
        ({"a": 1}, lambda document: document.update({"a.b.c": 2}), {"a": {"b": {"c": 2}}}),
        ({"x.y": {"`": 1}}, lambda document: document.update({r"`x.y`.`\``": 2}), {"x.y": {"`": 2}}),
        (None, lambda document: document.set({"m": {"x": 1}}, merge=["m.x"]), {"m": {"x": 1}}),
    ],
)
def test_mask_limits_the_changed_fields(
    client: firestore.Client, before: dict[str, Any] | None, write: Callable[[Any], object], after: dict[str, Any]
) -> None:
    document = client.document("c/d")
    if before is not None:
        document.set(before)
    write(document)
    assert stored(client) == after


TRANSFORMS = [
    ({"n": 1}, {"n": firestore.Increment(2)}, {"n": 3}),
    ({"n": 1}, {"n": firestore.Increment(0.5)}, {"n": 1.5}),
    ({"n": "text"}, {"n": firestore.Increment(2)}, {"n": 2}),
    ({}, {"n": firestore.Increment(2)}, {"n": 2}),
    ({"n": 2**63 - 2}, {"n": firestore.Increment(5)}, {"n": 2**63 - 1}),
    ({"n": 3}, {"n": firestore.Maximum(5)}, {"n": 5}),
    ({"n": 7}, {"n": firestore.Maximum(5)}, {"n": 7}),
    ({"n": 3}, {"n": firestore.Minimum(1.5)}, {"n": 1.5}),
    ({"n": None}, {"n": firestore.Minimum(1)}, {"n": 1}),
    ({"l": [1, 2]}, {"l": firestore.ArrayUnion([2.0, 3, 3])}, {"l": [1, 2, 3]}),
    ({"l": "text"}, {"l": firestore.ArrayUnion([1])}, {"l": [1]}),
    ({"l": [1, 2, 1, {"a": 1}]}, {"l": firestore.ArrayRemove([1, {"a": 1}])}, {"l": [2]}),
    ({}, {"l": firestore.ArrayRemove([1])}, {"l": []}),
    ({"m": {"n": 1}}, {"m.n": firestore.Increment(1), "m.o": 2}, {"m": {"n": 2, "o": 2}}),
]


@pytest.mark.parametrize(("before", "update", "after"), TRANSFORMS)
def test_transforms_compute_from_the_stored_value(
    client: firestore.Client, before: dict[str, Any], update: dict[str, Any], after: dict[str, Any]
) -> None:
    document = client.document("c/d")
    document.set(before)
    document.update(update)
    found = stored(client)
    assert found == after
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in after.items()}


def test_reply_has_the_results_of_transforms(client: firestore.Client) -> None:
    document = client.document("c/d")
    document.set({"n": 1, "l": [1]})
    result = document.update({"n": firestore.Increment(2), "l": firestore.ArrayUnion([2])})
    shown = {value._pb.WhichOneof("value_type") for value in result.transform_results}
    assert shown == {"integer_value", "null_value"}


def test_the_request_time_is_one_value_in_milliseconds(
    client: firestore.Client, firestore_target: FirestoreTarget
) -> None:
    firestore_target.not_google("it may take another millisecond for each write of a batch.")
    batch = client.batch()
    for name in ("c/1", "c/2"):
        batch.set(client.document(name), {"at": firestore.SERVER_TIMESTAMP, "m": {"at": firestore.SERVER_TIMESTAMP}})
    batch.commit()
    one, two = stored(client, "c/1"), stored(client, "c/2")
    assert one is not None
    assert one == two
    assert one["at"] == one["m"]["at"]
    assert one["at"].microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - one["at"]) < timedelta(seconds=5)


REFUSALS: list[tuple[str, Call, type[Exception]]] = [
    ("create of one that exists", lambda c: c.document("c/d").create({}), exceptions.AlreadyExists),
    ("update of none", lambda c: c.document("c/none").update({"a": 1}), exceptions.NotFound),
    (
        "delete of none that must exist",
        lambda c: c.document("c/none").delete(option=c.write_option(exists=True)),
        exceptions.NotFound,
    ),
    (
        "update of another version",
        lambda c: c.document("c/d").update(
            {"a": 2}, option=c.write_option(last_update_time=datetime(2020, 1, 1, tzinfo=UTC))
        ),
        exceptions.FailedPrecondition,
    ),
    ("id .", lambda c: c.document("c", ".").set({}), exceptions.InvalidArgument),
    ("id ..", lambda c: c.document("c", "..").set({}), exceptions.InvalidArgument),
    ("id __x__", lambda c: c.document("c", "__x__").set({}), exceptions.InvalidArgument),
    ("id of 1,501 bytes", lambda c: c.document("c", "é" * 750 + "x").set({}), exceptions.InvalidArgument),
    ("empty field name", lambda c: raw_set(c, "c/d", {"": Value(integer_value=1)}), exceptions.InvalidArgument),
    ("a value that is none", lambda c: raw_set(c, "c/d", {"a": Value()}), exceptions.InvalidArgument),
    ("a collection's name", lambda c: raw_set(c, "c/d/e", {}), exceptions.InvalidArgument),
    ("a bad field path", lambda c: raw_set(c, "c/d", {}, mask=["a..b"]), exceptions.InvalidArgument),
    ("long field path", lambda c: c.document("c/d").set({"m" * 10: {"x" * 1490: 1}}), exceptions.InvalidArgument),
    ("reserved field name", lambda c: c.document("c/d").set({"m": {"__x__": 1}}), exceptions.InvalidArgument),
    ("array in array", lambda c: c.document("c/d").set({"l": [[1]]}), exceptions.InvalidArgument),
    ("1 MiB", lambda c: c.document("c/d").set({"b": bytes(1024 * 1024)}), exceptions.InvalidArgument),
    ("read of none", lambda c: c._firestore_api.get_document({"name": name_of(c, "c/none")}), exceptions.NotFound),
]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 1}
    for _ in range(depth - 1):
        value = {"m": value}
    return value


def raw_set(
    client: firestore.Client,
    path: str,
    fields: dict[str, Value],
    database: str = "(default)",
    mask: list[str] | None = None,
) -> None:
    """Return a write that the client's helpers cannot create."""
    name = f"projects/{client.project}/databases/{database}/documents/{path}"
    write = Write(update=Document(name=name, fields=fields))
    if mask is not None:
        write.update_mask = DocumentMask(field_paths=mask)
    client._firestore_api.commit({"database": client._database_string, "writes": [write]})


def name_of(client: firestore.Client, path: str) -> str:
    return f"{client._database_string}/documents/{path}"


@pytest.mark.parametrize(
    ("call", "refusal"), [(call, refusal) for _, call, refusal in REFUSALS], ids=[name for name, _, _ in REFUSALS]
)
def test_errors_have_the_codes_of_the_service(client: firestore.Client, call: Call, refusal: type[Exception]) -> None:
    client.document("c/d").set({"a": 1})
    with pytest.raises(refusal) as caught:
        call(client)
    assert len(str(caught.value)) > 10
    assert stored(client) == {"a": 1}


def test_a_document_of_another_database_is_refused(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it stores the document in the other database.")
    with pytest.raises(exceptions.InvalidArgument):
        raw_set(client, "c/d", {}, database="other")


def test_more_than_twenty_levels_are_refused(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it does not count levels.")
    with pytest.raises(exceptions.InvalidArgument):
        client.document("c/d").set(nested(21))


def test_document_at_the_limits_is_stored(client: firestore.Client) -> None:
    client.document("c", "é" * 750).set(nested(20))
    client.document("c/large").set({"b": bytes(1_000_000)})
    client.document("c/path").set({"m" * 10: {"x" * 1489: 1}})
    assert stored(client, "c/" + "é" * 750) == nested(20)


def test_a_commit_is_all_or_nothing(client: firestore.Client) -> None:
    client.document("c/there").set({})
    batch = client.batch()
    batch.set(client.document("c/new"), {"a": 1})
    batch.create(client.document("c/there"), {"a": 1})
    with pytest.raises(exceptions.AlreadyExists):
        batch.commit()
    assert stored(client, "c/new") is None


def test_a_commit_may_write_one_document_twice(client: firestore.Client) -> None:
    batch = client.batch()
    batch.set(client.document("c/d"), {"a": 1})
    batch.update(client.document("c/d"), {"a": firestore.Increment(1)})
    batch.commit()
    assert stored(client) == {"a": 2}


def batch_write(client: firestore.Client, *writes: Write) -> BatchWriteResponse:
    request = BatchWriteRequest(database=client._database_string, writes=list(writes))
    # Google's emulator accepts a BatchWrite only with an owner's authorization.
    metadata = [*client._rpc_metadata, ("authorization", "Bearer owner")]
    reply: BatchWriteResponse = client._firestore_api.batch_write(request, metadata=metadata, timeout=5)
    return reply


def create(client: firestore.Client, path: str, **fields: Value) -> Write:
    return Write(update=Document(name=name_of(client, path), fields=fields), current_document={"exists": False})


def test_every_write_of_a_batch_write_has_its_own_status(client: firestore.Client, api: FirestoreClient) -> None:
    client.document("c/there").set({})
    missing = Write(delete=name_of(client, "c/missing"), current_document={"exists": True})
    reply = batch_write(client, create(client, "c/1"), create(client, "c/there"), missing, create(client, "c/2"))
    assert [status.code for status in reply.status] == [0, 6, 5, 0]
    assert [bool(result.update_time) for result in reply.write_results] == [True, False, False, True]
    assert stored(client, "c/1") == stored(client, "c/2") == {}


def test_a_batch_write_that_names_a_document_twice_is_refused(client: firestore.Client, api: FirestoreClient) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        batch_write(client, create(client, "c/1"), create(client, "c/1"))
    assert stored(client, "c/1") is None


def test_one_malformed_document_refuses_the_whole_batch_write(client: firestore.Client, api: FirestoreClient) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        batch_write(client, create(client, "c/1"), create(client, "c/2", __x__=Value(integer_value=1)))
    assert stored(client, "c/1") is None


def test_a_request_over_ten_mebibytes_is_refused(
    client: firestore.Client, api: FirestoreClient, firestore_target: FirestoreTarget
) -> None:
    firestore_target.not_google("it refuses 4 MiB already, with RESOURCE_EXHAUSTED.")
    large = Value(bytes_value=bytes(900_000))
    with pytest.raises(exceptions.InvalidArgument, match="exceeds the limit"):
        batch_write(client, *(create(client, f"c/{number}", b=large) for number in range(12)))
    batch_write(client, *(create(client, f"c/{number}", b=large) for number in range(11)))


def test_databases_and_projects_are_separate(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    other = firestore.Client(project=client.project, database="other", credentials=client._credentials)
    client.document("c/d").set({"a": 1})
    assert stored(other) is None
    other.document("c/d").set({"a": 2})
    assert (stored(client), stored(other)) == ({"a": 1}, {"a": 2})
    other.close()  # type: ignore[no-untyped-call]


def test_the_generated_client_creates_updates_and_deletes(client: firestore.Client, api: FirestoreClient) -> None:
    made = api.create_document(
        {
            "parent": f"{client._database_string}/documents",
            "collection_id": "c",
            "document_id": "d",
            "document": {"fields": {"a": {"integer_value": 1}, "b": {"integer_value": 1}}},
        }
    )
    assert made.name == name_of(client, "c/d")
    made.fields["a"] = Value(integer_value=2)
    api.update_document({"document": made, "update_mask": {"field_paths": ["a"]}})
    assert stored(client) == {"a": 2, "b": 1}
    masked = api.get_document({"name": made.name, "mask": {"field_paths": ["b"]}})
    assert list(masked.fields) == ["b"]
    api.delete_document({"name": made.name})
    assert stored(client) is None
