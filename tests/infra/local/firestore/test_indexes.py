"""An index gives the same results as a scan of every document, after any writes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.firestore.documents.stored import Stored
from infra.local.firestore.protos import Document, StructuredQuery, Value
from infra.local.firestore.query.parse import Query, parse_query
from infra.local.firestore.storage.run_query import count, run
from infra.local.firestore.storage.store import Store, StoredDatabase

NAME = "projects/p/databases/d"
OPERATORS = ["EQUAL", "NOT_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL"]
FIELDS = ["a", "b", "l"]

numbers = st.builds(lambda number: Value(integer_value=number), st.integers(0, 3))
scalars = st.one_of(numbers, st.just(Value(null_value=0)), st.just(Value(string_value="x")))


def array(items: list[Any]) -> Any:
    value = Value()
    value.array_value.values.extend(items)
    return value


contents = st.fixed_dictionaries(
    {}, optional={"a": scalars, "b": scalars, "l": st.builds(array, st.lists(numbers, max_size=2))}
)
# A write of None deletes.
writes = st.tuples(st.integers(0, 15), st.one_of(st.none(), contents))


def field_filter(field: str, operator: str, value: Any) -> Any:
    part = StructuredQuery.Filter()
    part.field_filter.field.field_path = field
    part.field_filter.op = StructuredQuery.FieldFilter.Operator.Value(operator)
    part.field_filter.value.CopyFrom(value)
    return part


leaves = st.one_of(
    st.builds(field_filter, st.sampled_from(["a", "b"]), st.sampled_from(OPERATORS), scalars),
    st.builds(field_filter, st.just("l"), st.just("ARRAY_CONTAINS"), numbers),
    st.builds(
        field_filter,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["IN", "NOT_IN"]),
        st.builds(array, st.lists(numbers, min_size=1, max_size=3)),
    ),
    st.builds(
        field_filter,
        st.just("l"),
        st.just("ARRAY_CONTAINS_ANY"),
        st.builds(array, st.lists(numbers, min_size=1, max_size=30)),
    ),
)


def composite(operator: str, parts: list[Any]) -> Any:
    whole = StructuredQuery.Filter()
    whole.composite_filter.op = StructuredQuery.CompositeFilter.Operator.Value(operator)
    whole.composite_filter.filters.extend(parts)
    return whole


trees = st.one_of(
    leaves, st.builds(composite, st.sampled_from(["AND", "OR"]), st.lists(leaves, min_size=1, max_size=2))
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    pb = StructuredQuery()
    pb.from_.add(collection_id="c")
    if draw(st.booleans()):
        pb.where.CopyFrom(draw(trees))
    for field in draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=2)):
        pb.order_by.add(direction=draw(st.sampled_from([1, 2]))).field.field_path = field
    if pb.order_by and draw(st.booleans()):
        pb.start_at.values.append(draw(scalars))
        pb.start_at.before = draw(st.booleans())
    if pb.order_by and draw(st.booleans()):
        pb.end_at.values.append(draw(scalars))
        pb.end_at.before = draw(st.booleans())
    pb.offset = draw(st.integers(0, 2))
    if draw(st.booleans()):
        pb.limit.value = draw(st.integers(0, 4))
    return parse_query(pb, NAME, "")


def write(database: StoredDatabase, number: int, content: dict[str, Any] | None) -> None:
    path = f"c/{number}"
    if content is None:
        database.commit({path: None}, database.clock.tick())
        return
    document = Document(name=f"{NAME}/documents/{path}")
    for name, value in content.items():
        document.fields[name].CopyFrom(value)
    database.commit({path: Stored(path, document, document.ByteSize())}, database.clock.tick())


def crowd(database: StoredDatabase) -> None:
    """Enough documents for queries to use indexes; they sort below the numbered ones and match no filter on a field."""
    paths = [f"c/crowd-{number}" for number in range(101)]
    documents = {path: Stored(path, Document(name=f"{NAME}/documents/{path}"), 0) for path in paths}
    database.commit(documents, database.clock.tick())


def paths(found: list[Stored]) -> list[str]:
    return [document.path for document in found]


@settings(max_examples=150, deadline=None)
@given(st.lists(writes, max_size=25), queries(), st.lists(writes, max_size=10))
def test_index_and_scan_agree(before: list[Any], query: Query, after: list[Any]) -> None:
    small, large = Store().database(NAME), Store().database(NAME)
    crowd(large)
    anything = bool(query.where.matches(large.documents["c/crowd-0"]) and len(query.order.fields) == 1)
    for part in (before, after):
        for number, content in part:
            write(small, number, content)
            write(large, number, content)
        if not anything:
            assert paths(run(large, query)) == paths(run(small, query))
            assert count(large, query) == count(small, query)


@settings(max_examples=100, deadline=None)
@given(st.lists(writes, max_size=25), queries(), st.lists(writes, max_size=10))
def test_reads_in_the_past_do_not_change(before: list[Any], query: Query, after: list[Any]) -> None:
    database = Store().database(NAME)
    crowd(database)
    for number, content in before:
        write(database, number, content)
    then, found = database.clock.read(), paths(run(database, query))
    for number, content in after:
        write(database, number, content)
    earlier = database.journal.before(then)
    assert earlier is not None
    assert paths(run(database, query, earlier)) == found
    assert count(database, query, earlier) == len(found)
