"""firestore.indexes.json has exactly the indexes that the code's queries need."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.firestore_v1 import types

from infra.firestore.client import Database
from infra.firestore.listen import messages_since
from infra.firestore.message_reader import EVERYTHING, MessageReader, Selection
from infra.firestore.message_writer import chunk_write
from infra.settings import console_settings
from tests.support.terraform.indexes import FILE, NOW, Index, held_indexes, overrides, stored_fields
from tests.support.terraform.runner import ROOT, resources, values

SELECTIONS = [EVERYTHING, Selection("builds"), Selection(tokens=("a=b",)), Selection("builds", ("a=b", "c=d"))]
LONG = {"google_firestore_index", "google_firestore_field"}
# Fields with their automatic index, for queries in the console; their values are short and do not grow with time.
AUTOMATIC = {"deliveries", "delivery_attempt", "kind", "ordering_key", "severity", "sha256", "size_bytes"}

_Query: Any = types.StructuredQuery
_Operator: Any = _Query.FieldFilter.Operator
_CONTAINS = (_Operator.ARRAY_CONTAINS, _Operator.ARRAY_CONTAINS_ANY)


def messages() -> MessageReader:
    return MessageReader(Database(console_settings({"GOOGLE_CLOUD_PROJECT": "p"})), shards=3)


def needed_index(query: Any) -> Index:
    """Return the composite index of a query: its equalities, its array, its order.

    Firestore adds the document's name as the last field, in the direction of the last order
    (cloud.google.com/firestore/docs/query-data/index-overview).
    """
    filters = [
        (clause.field_filter.field.field_path, clause.field_filter.op)
        for clause in query.where.composite_filter.filters
    ]
    equal = [(name, "ASCENDING") for name, operator in filters if operator in (_Operator.EQUAL, _Operator.IN)]
    contains = [(name, "CONTAINS") for name, operator in filters if operator in _CONTAINS]
    orders = [(order.field.field_path, _Query.Direction(order.direction).name) for order in query.order_by]
    ranges = {name for name, _ in filters} - {name for name, _ in (*equal, *contains)}
    assert ranges <= {orders[0][0]}, f"a range on {ranges} needs the first order"
    assert [name for name, _ in orders] == ["received_at", "__name__"]
    assert orders[0][1] == orders[1][1], "the name's direction is the last order's"
    return (*equal, *contains, orders[0])


def test_indexes_are_those_of_the_queries() -> None:
    pages = [messages().query(selection, limit=50) for selection in SELECTIONS]
    feeds = [messages_since(messages(), NOW, selection) for selection in SELECTIONS]
    assert sorted(held_indexes()) == sorted({needed_index(query) for query in (*pages, *feeds)})


def test_every_index_begins_with_the_shard() -> None:
    assert {index[0] for index in held_indexes()} == {("shard", "ASCENDING")}


def test_fields_that_no_query_uses_alone_have_no_index() -> None:
    assert overrides()["messages"] == stored_fields() - AUTOMATIC


def test_chunks_have_no_index() -> None:
    assert overrides()["chunks"] == set(chunk_write("root", "0" * 32, 0, b"x", NOW).update.fields)


def test_expiring_collections_have_a_ttl() -> None:
    expiring = {entry["collectionGroup"] for entry in FILE["fieldOverrides"] if entry.get("ttl")}
    assert {entry["fieldPath"] for entry in FILE["fieldOverrides"] if entry.get("ttl")} == {"expire_at"}
    assert expiring == {"messages", "chunks", "sessions", "rejections", "sign_in_attempts"}


def queried(source: str) -> Iterator[tuple[int, set[str]]]:
    """Yield each function's line and the fields that it filters or sorts by with Google's client, in all its calls."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named: set[str] = set()
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(attr="where" | "order_by"), args=[ast.Constant(value=str(field)), *_]):
                    named.add(field)
                case ast.Call(func=ast.Name(id="FieldFilter"), args=[ast.Constant(value=str(field)), *_]):
                    named.add(field)
                case ast.Call(func=ast.Attribute(attr="where" | "order_by"), args=[_, *_]):
                    named |= {"a field known only at run time", "possibly another"}
        if named:
            # Every index contains the name, in the direction of the order before it.
            yield function.lineno, named - {"__name__"}


def all_queried() -> Iterator[tuple[str, set[str]]]:
    for package in ("infra", "web", "functions"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "local" not in path.parts:
                yield from ((f"{path.relative_to(ROOT)}:{line}", named) for line, named in queried(path.read_text()))


@pytest.mark.parametrize(
    "body",
    [
        'audit.where(filter=FieldFilter("target", "==", it)).order_by("at")',
        'audit.where(filter=FieldFilter("who", "==", it)).where(filter=FieldFilter("what", "==", it))',
        'query = audit.where(filter=FieldFilter("target", "==", it)); query = query.order_by("at")',
        'audit.where("target", "==", it).order_by("at")',
        "audit.order_by(it)",
    ],
)
def test_query_that_needs_a_composite_index_is_found(body: str) -> None:
    ((_, named),) = queried(f"def read(audit, it):\n    {body}\n")
    assert len(named) == 2


def test_other_queries_need_no_composite_index() -> None:
    queries = list(all_queried())
    assert len(queries) >= 4, "these are the queries of users, sessions, the audit and its pauses"
    wrong = [f"{where} filters or sorts by {sorted(named)}" for where, named in queries if len(named) > 1]
    assert not wrong, f"{wrong}: it needs an index in firestore.indexes.json, and a case here"


@pytest.mark.parametrize("selection", SELECTIONS)
def test_terraform_creates_each_index(plan: dict[str, Any], selection: Selection) -> None:
    index = needed_index(messages().query(selection, limit=1))
    key = "/".join(("messages", *(name for name, _ in index)))
    alone = key == "messages/shard/received_at"
    made = values(plan, "google_firestore_index.first" if alone else f'google_firestore_index.composite["{key}"]')
    fields = made["fields"]
    assert tuple((field["field_path"], field["order"] or field["array_config"]) for field in fields) == index


def test_terraform_creates_each_override(plan: dict[str, Any]) -> None:
    for entry in FILE["fieldOverrides"]:
        group, field = entry["collectionGroup"], entry["fieldPath"]
        name = "messages" if group == "messages" else "others"
        made = values(plan, f'google_firestore_field.{name}["{group}/{field}"]')
        assert (made["collection"], made["field"]) == (entry["collectionGroup"], entry["fieldPath"])
        assert [block["indexes"] for block in made["index_config"]] == [[]]
        assert len(made["ttl_config"]) == bool(entry.get("ttl"))


def test_indexes_and_fields_may_take_ninety_minutes(plan: dict[str, Any]) -> None:
    """On a database with messages Firestore needs more than an hour, and the provider's own limit is 20 minutes."""
    made = [entry["values"] for entry in resources(plan) if entry["type"] in LONG]
    assert len(made) == len(FILE["indexes"]) + len(FILE["fieldOverrides"])
    assert {tuple(sorted(entry["timeouts"].items())) for entry in made} == {
        (("create", "90m"), ("delete", "90m"), ("update", "90m"))
    }
