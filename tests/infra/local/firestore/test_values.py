"""The order of values and the grammar of field paths: tables."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from google.cloud.firestore_v1 import _helpers
from google.cloud.firestore_v1.vector import Vector

from infra.local.firestore.documents.field_paths import FieldPath, parse_path
from infra.local.firestore.documents.names import check_document, order_of, path_of
from infra.local.firestore.documents.value_order import key_of
from infra.local.firestore.protos import Value
from infra.local.rpc import RpcError

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
DOCUMENTS = "projects/p/databases/d/documents"


def encoded(value: object) -> Any:
    """Encode a value with Google's client."""
    return _helpers.encode_value(value)._pb


ASCENDING = [
    encoded(None),
    encoded(False),
    encoded(True),
    encoded(float("nan")),
    encoded(float("-inf")),
    encoded(-(2**63)),
    encoded(-1.5),
    encoded(0),
    encoded(1),
    encoded(1.5),
    encoded(2**53),
    encoded(2**53 + 1),
    encoded(float("inf")),
    encoded(MOMENT),
    encoded(MOMENT.replace(microsecond=679)),
    encoded(""),
    encoded("A"),
    encoded("a"),
    encoded("a "),
    encoded("é"),
    encoded("\uffff"),
    encoded("\U0001f600"),
    encoded(b""),
    encoded(b"a"),
    encoded(b"\xff"),
    Value(reference_value=f"{DOCUMENTS}/a/b"),
    Value(reference_value=f"{DOCUMENTS}/a/b/c/d"),
    Value(reference_value=f"{DOCUMENTS}/a/b!"),
    Value(geo_point_value={"latitude": -1, "longitude": 9}),
    Value(geo_point_value={"latitude": 1, "longitude": 2}),
    Value(geo_point_value={"latitude": 1, "longitude": 3}),
    encoded([]),
    encoded([1]),
    encoded([1, None]),
    encoded([2]),
    encoded(Vector([9.0])),
    encoded(Vector([1.0, 2.0])),
    encoded({}),
    encoded({"a": 1}),
    encoded({"a": 1, "b": 0}),
    encoded({"a": 2}),
    encoded({"b": 0}),
]


@pytest.mark.parametrize(("less", "greater"), list(pairwise(ASCENDING)), ids=lambda value: str(value).split()[0])
def test_values_sort_by_type_and_then_by_value(less: Any, greater: Any) -> None:
    assert key_of(less) < key_of(greater)
    assert not key_of(greater) < key_of(less)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (0.0, -0.0), (float("nan"), float("nan")), ({"a": 1, "b": 2}, {"b": 2, "a": 1.0})]
)
def test_values_that_the_service_calls_equal_have_one_key(one: object, other: object) -> None:
    assert key_of(encoded(one)) == key_of(encoded(other))
    assert hash(key_of(encoded(one))) == hash(key_of(encoded(other)))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b_1.C", ("a", "b_1", "C")),
        ("`a.b`", ("a.b",)),
        ("a.`b c`.d", ("a", "b c", "d")),
        (r"`a\`b`", ("a`b",)),
        (r"`a\\`", ("a\\",)),
        ("`1`", ("1",)),
        ("`é`.x", ("é", "x")),
    ],
)
def test_field_paths_are_names_joined_by_dots(text: str, path: FieldPath) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "1a", "a b", "a-b", "``", "`a", "`a`b", "é", "a.``"])
def test_invalid_field_path_is_refused(text: str) -> None:
    with pytest.raises(RpcError, match="Invalid field path"):
        parse_path(text)


@pytest.mark.parametrize("path", ["a/b", "a/b/c/d", "a/...", "a/__x", "a/x__", "a/___", "a/_", "a/" + "x" * 1500])
def test_valid_document_names_are_accepted(path: str) -> None:
    check_document(path, path)


@pytest.mark.parametrize(
    "path", ["a", "a/b/c", "a/", "/b", "a//c/d", "a/.", "a/..", "./b", "a/__x__", "a/____", "a/" + "x" * 1501]
)
def test_document_names_that_the_service_refuses_are_refused(path: str) -> None:
    with pytest.raises(RpcError):
        check_document(path, path)


def test_names_sort_segment_by_segment_and_numeric_ids_first() -> None:
    paths = ["a/__id-3__", "a/__id20__", "a/!", "a/b", "a/b/c/d", "a/b!", "a/b-", "a/c", "a\0/b", "a!/b"]
    assert sorted(paths, key=order_of) == paths


@pytest.mark.parametrize("path", ["a/b", "a/b/c/d", "a\0/b", "a/\0b\0\0", "a/\1"])
def test_a_path_comes_back_from_its_order(path: str) -> None:
    assert path_of(order_of(path)) == path
