"""Queries: filters, orders, cursors, projections, groups, counts and lists, with the client's own query builder."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from tests.support.firestore.targets import FirestoreTarget

NAN = float("nan")
NAME = FieldPath.document_id()
DESCENDING = firestore.Query.DESCENDING

CITIES: dict[str, dict[str, Any]] = {
    "bern": {"country": "ch", "people": 134, "tags": ["capital", "river"], "at": {"east": 7.4}, "rank": 2},
    "brno": {"country": "cz", "people": 379, "tags": ["river"], "at": {"east": 16.6}, "rank": None},
    "rome": {"country": "it", "people": 2873, "tags": ["capital", "river", "old"], "at": {"east": 12.5}, "rank": 1.0},
    "york": {"country": "uk", "people": 202.5, "tags": ["old"], "rank": NAN},
    "zug": {"country": "ch", "people": 30, "rank": "small"},
}
# Enough other documents for the local Firestore to use an index instead of a scan.
CROWD = 120


@pytest.fixture(params=["a few documents", "many documents"])
def cities(request: pytest.FixtureRequest, client: firestore.Client) -> firestore.CollectionReference:
    """The same cities, alone or among many documents that no query of these tests matches."""
    batch = client.batch()
    for name, content in CITIES.items():
        batch.set(client.document("cities", name), content)
    if request.param == "many documents":
        for number in range(CROWD):
            batch.set(client.document(f"cities/~{number:03}"), {"crowd": number})
    batch.commit()
    return client.collection("cities")


def where(field: str, operator: str, value: object) -> FieldFilter:
    return FieldFilter(field, operator, value)


def ids(query: Any) -> list[str]:
    return [document.id for document in query.get()]


def counted(query: Any) -> int:
    number: int = query.count().get()[0][0].value
    return number


def aggregated(query: Any) -> dict[str, Any]:
    """Return the count, sum and average of ``people``."""
    asked = query.count(alias="count").sum("people", alias="sum").avg("people", alias="average")
    return {one.alias: one.value for one in asked.get()[0]}


FILTERS: list[tuple[Any, list[str]]] = [
    (where("country", "==", "ch"), ["bern", "zug"]),
    (where("people", "==", 379.0), ["brno"]),
    (where("people", ">", 202), ["york", "brno", "rome"]),
    (where("people", ">=", 202.5), ["york", "brno", "rome"]),
    (where("people", "<", 202.5), ["zug", "bern"]),
    (where("people", "<=", 202.5), ["zug", "bern", "york"]),
    (where("country", "!=", "ch"), ["brno", "rome", "york"]),
    (where("rank", "!=", 2), ["york", "rome", "zug"]),
    (where("rank", "==", None), ["brno"]),
    (where("rank", "!=", None), ["york", "rome", "bern", "zug"]),
    (where("rank", "==", NAN), ["york"]),
    (where("rank", "!=", NAN), ["rome", "bern", "zug"]),
    (where("rank", ">", 0), ["rome", "bern"]),
    (where("rank", ">=", ""), ["zug"]),
    (where("country", "in", ["cz", "ch", "xx", "cz"]), ["bern", "brno", "zug"]),
    (where("country", "not-in", ["ch", "uk"]), ["brno", "rome"]),
    (where("rank", "not-in", [1, "small"]), ["york", "bern"]),
    (where("tags", "array_contains", "river"), ["bern", "brno", "rome"]),
    (where("tags", "array_contains_any", ["old", "capital"]), ["bern", "rome", "york"]),
    (where("tags", "==", ["old"]), ["york"]),
    (where("at", "==", {"east": 16.6}), ["brno"]),
    (where("at.east", ">", 10), ["rome", "brno"]),
    (where("none", "==", 1), []),
    (And([where("country", "==", "ch"), where("people", ">", 100)]), ["bern"]),
    (And([where("country", "==", "ch"), where("country", "==", "it")]), []),
    (And([where("tags", "array_contains", "old"), where("country", "in", ["it", "ch"])]), ["rome"]),
    (Or([where("country", "==", "it"), where("people", "<", 100)]), ["zug", "rome"]),
    (
        And([where("tags", "array_contains", "river"), Or([where("country", "==", "ch"), where("rank", "==", 1)])]),
        ["bern", "rome"],
    ),
    (Or([where("country", "==", "ch"), where("tags", "array_contains", "capital")]), ["bern", "rome", "zug"]),
]


@pytest.mark.parametrize(("condition", "found"), FILTERS, ids=[str(number) for number in range(len(FILTERS))])
def test_filters_match_as_the_service_does(
    cities: firestore.CollectionReference, condition: Any, found: list[str]
) -> None:
    query = cities.where(filter=condition)
    assert ids(query) == found
    assert counted(query) == len(found)


ORDERS: list[tuple[Callable[[Any], Any], list[str]]] = [
    (lambda c: c.order_by("people"), ["zug", "bern", "york", "brno", "rome"]),
    (lambda c: c.order_by("people", direction=DESCENDING), ["rome", "brno", "york", "bern", "zug"]),
    (lambda c: c.order_by("rank"), ["brno", "york", "rome", "bern", "zug"]),
    (lambda c: c.order_by("tags"), ["bern", "rome", "york", "brno"]),
    (lambda c: c.order_by("country").order_by("people"), ["zug", "bern", "brno", "rome", "york"]),
    (lambda c: c.order_by("country", direction=DESCENDING), ["york", "rome", "brno", "zug", "bern"]),
    (lambda c: c.order_by("country", direction=DESCENDING).order_by(NAME), ["york", "rome", "brno", "bern", "zug"]),
    (
        lambda c: c.order_by("country").order_by("people", direction=DESCENDING),
        ["bern", "zug", "brno", "rome", "york"],
    ),
    (lambda c: c.where(filter=where("people", ">", 100)).order_by("people").limit(2), ["bern", "york"]),
    (lambda c: c.order_by("people").limit_to_last(2), ["brno", "rome"]),
    (lambda c: c.order_by("people").offset(1).limit(2), ["bern", "york"]),
    (lambda c: c.order_by("people").offset(9), []),
    (lambda c: c.order_by("people").start_at({"people": 202.5}), ["york", "brno", "rome"]),
    (lambda c: c.order_by("people").start_after({"people": 202.5}), ["brno", "rome"]),
    (lambda c: c.order_by("people").end_at({"people": 202.5}), ["zug", "bern", "york"]),
    (lambda c: c.order_by("people").end_before({"people": 202.5}), ["zug", "bern"]),
    (lambda c: c.order_by("people", direction=DESCENDING).start_at({"people": 202.5}), ["york", "bern", "zug"]),
    (lambda c: c.order_by("people", direction=DESCENDING).start_after({"people": 202.5}), ["bern", "zug"]),
    (lambda c: c.order_by("people", direction=DESCENDING).end_at({"people": 202.5}), ["rome", "brno", "york"]),
    (lambda c: c.order_by("people", direction=DESCENDING).end_before({"people": 202.5}), ["rome", "brno"]),
    (
        lambda c: c.order_by("country").start_at({"country": "ch"}).end_before({"country": "it"}),
        ["bern", "zug", "brno"],
    ),
    (
        lambda c: c.order_by("country").order_by("people", direction=DESCENDING).start_after(["ch", 134]),
        ["zug", "brno", "rome", "york"],
    ),
    (lambda c: c.order_by("country").order_by(NAME).start_after(["ch", "bern"]), ["zug", "brno", "rome", "york"]),
    (lambda c: c.order_by("country", direction=DESCENDING).start_after(c.document("zug").get()), ["bern"]),
    (
        lambda c: (
            c.where(filter=where("country", "in", ["ch", "it", "uk"]))
            .order_by("people", direction=DESCENDING)
            .start_after({"people": 2000})
            .limit(2)
        ),
        ["york", "bern"],
    ),
]


@pytest.mark.parametrize(("build", "found"), ORDERS, ids=[str(number) for number in range(len(ORDERS))])
def test_orders_and_cursors_cut_the_same_pages(
    cities: firestore.CollectionReference, build: Callable[[Any], Any], found: list[str]
) -> None:
    assert ids(build(cities)) == found


def test_names_are_filtered_and_ordered_like_a_field(cities: firestore.CollectionReference) -> None:
    document = cities.document
    few = cities.where(filter=where(NAME, "<", document("~")))
    assert ids(few) == sorted(CITIES)
    assert ids(few.where(filter=where(NAME, ">", document("brno")))) == ["rome", "york", "zug"]
    assert ids(cities.where(filter=where(NAME, "in", [document("zug"), document("x"), document("bern")]))) == [
        "bern",
        "zug",
    ]
    assert ids(cities.where(filter=where(NAME, "==", document("rome")))) == ["rome"]


def test_names_can_be_read_backwards(cities: firestore.CollectionReference, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it does no descending key scans.")
    few = cities.where(filter=where(NAME, "<", cities.document("~")))
    assert ids(few.order_by(NAME, direction=DESCENDING)) == sorted(CITIES, reverse=True)


def test_indexes_follow_every_write(cities: firestore.CollectionReference) -> None:
    query = cities.where(filter=where("tags", "array_contains", "old")).order_by("people")
    assert ids(query) == ["york", "rome"]
    cities.document("york").update({"people": 9000})
    cities.document("bern").update({"tags": firestore.ArrayUnion(["old"])})
    assert ids(query) == ["bern", "rome", "york"]
    cities.document("rome").delete()
    cities.document("bern").update({"people": firestore.DELETE_FIELD})
    assert ids(query) == ["york"]
    assert counted(query) == 1


def test_a_projection_sends_only_the_chosen_fields(cities: firestore.CollectionReference) -> None:
    one = cities.where(filter=where("country", "==", "it"))
    assert [document.to_dict() for document in one.select(["people", "at.east", "none"]).stream()] == [
        {"people": 2873, "at": {"east": 12.5}}
    ]
    assert [document.to_dict() for document in one.select([]).stream()] == [{}]


def test_aggregations_count_sum_and_average(cities: firestore.CollectionReference) -> None:
    assert aggregated(cities.where(filter=where("country", "==", "ch"))) == {"count": 2, "sum": 164, "average": 82.0}
    assert aggregated(cities.where(filter=where("country", "in", ["ch", "uk"])))["sum"] == 366.5
    # The service sends null as the average of no values; the client returns 0.0.
    assert aggregated(cities.where(filter=where("country", "==", "xx"))) == {"count": 0, "sum": 0, "average": 0.0}


def test_a_count_stops_at_its_bound_and_at_the_limit(
    cities: firestore.CollectionReference, client: firestore.Client, api: FirestoreClient
) -> None:
    query = cities.where(filter=where("people", ">", 0))
    assert counted(query.limit(3)) == 3
    assert counted(query.offset(1)) == 4
    request = {
        "parent": f"{client._database_string}/documents",
        "structured_aggregation_query": {
            "structured_query": query._to_protobuf(),
            "aggregations": [{"alias": "few", "count": {"up_to": 2}}, {"count": {}}],
        },
    }
    (reply,) = api.run_aggregation_query(request)
    assert {alias: value.integer_value for alias, value in reply.result.aggregate_fields.items()} == {
        "few": 2,
        "field_1": 5,
    }


def paths(documents: Iterable[Any]) -> list[str]:
    return [document.reference.path for document in documents]


def test_a_collection_group_reads_collections_of_one_name_at_any_depth(client: firestore.Client) -> None:
    for path in (
        "chunks/a",
        "messages/1/chunks/b",
        "messages/2/chunks/a",
        "messages/2/chunks/a/chunks/z",
        "x/y/other/b",
    ):
        client.document(path).set({"at": path})
    assert paths(client.collection_group("chunks").stream()) == [
        "chunks/a",
        "messages/1/chunks/b",
        "messages/2/chunks/a",
        "messages/2/chunks/a/chunks/z",
    ]
    assert paths(client.collection("messages/2/chunks").stream()) == ["messages/2/chunks/a"]
    found = client.collection_group("chunks").where(filter=where("at", ">", "messages/2")).stream()
    assert paths(found) == ["messages/2/chunks/a", "messages/2/chunks/a/chunks/z"]


def test_collections_and_documents_are_listed(client: firestore.Client) -> None:
    for path in ("c/1", "c/2", "c/missing/sub/x", "d/1", "c/1/e/1", "c/1/f/1"):
        client.document(path).set({})
    assert [collection.id for collection in client.collections()] == ["c", "d"]
    assert [collection.id for collection in client.document("c/1").collections()] == ["e", "f"]
    assert [document.id for document in client.collection("c").list_documents(page_size=1)] == ["1", "2", "missing"]


def test_several_documents_are_read_at_once(client: firestore.Client) -> None:
    client.document("c/1").set({"a": 1, "b": 2})
    found = client.get_all([client.document("c/1"), client.document("c/none")], field_paths=["b"])
    assert {document.id: document.to_dict() for document in found} == {"1": {"b": 2}, "none": None}


def test_the_past_can_be_read(client: firestore.Client, firestore_target: FirestoreTarget) -> None:
    firestore_target.not_google("it keeps no earlier versions.")
    document = client.document("c/d")
    document.set({"a": 1})
    then = document.get().read_time
    document.set({"a": 2})
    client.document("c/later").set({"a": 1})
    old = client.collection("c").where(filter=where("a", "==", 1))
    assert paths(old.stream()) == ["c/later"]
    assert paths(old.stream(read_time=then)) == ["c/d"]
    assert document.get(read_time=then).to_dict() == {"a": 1}
    with pytest.raises(exceptions.FailedPrecondition):
        document.get(read_time=datetime(2020, 1, 1, tzinfo=UTC))


REFUSED: list[Callable[[Any], Any]] = [
    lambda c: c.where(filter=where("a", "in", list(range(31)))),
    lambda c: c.where(filter=where("a", "not-in", list(range(11)))),
    lambda c: c.where(filter=where("a", "in", [])),
    lambda c: c.where(filter=And([where("a", "in", [1, 2, 3, 4, 5, 6]), where("b", "in", [1, 2, 3, 4, 5, 6])])),
    lambda c: c.limit(-1),
    lambda c: c.offset(-1),
]


@pytest.mark.parametrize("build", REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_queries_that_the_service_refuses_are_refused(client: firestore.Client, build: Callable[[Any], Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        ids(build(client.collection("c")))
