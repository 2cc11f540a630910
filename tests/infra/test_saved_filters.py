"""Saved filters: shared, checked like the search box, unique by name, with at most one default, audited."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest

from infra.errors import DocumentExistsError, DocumentNotFoundError, InputError, SubscopeError
from infra.firestore.client import Database, fields_of
from infra.query import QueryError, parse
from infra.query.list_arguments import ListArguments
from infra.saved_filters import MAX_FILTERS, SavedFilter, SavedFilters, default_of, filter_id, filter_of
from infra.settings import ConsoleSettings

QUIET = ListArguments("-type=heartbeat", "builds", ("type", "data.user.id"))
AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def database(settings: ConsoleSettings) -> Iterator[Database]:
    """An empty database: the tests count the whole collection."""
    database = Database(dataclasses.replace(settings, firestore_database=f"filters-{uuid4().hex[:8]}"))
    yield database
    database.close()


@pytest.fixture
def filters(database: Database) -> SavedFilters:
    return SavedFilters(database)


def audited(database: Database) -> list[tuple[str, str, str]]:
    entries = [fields_of(document) for document in database.documents.collection("audit").stream()]
    in_order = sorted(entries, key=lambda entry: entry["at"])
    return [(entry["who"], entry["what"], entry["detail"]) for entry in in_order]


def at_once(actions: list[Callable[[], object]]) -> list[str]:
    """Run all actions concurrently; return the error text of each, empty on success."""
    together = Barrier(len(actions))

    def act(action: Callable[[], object]) -> str:
        together.wait(10)
        try:
            action()
        except SubscopeError as exc:
            return str(exc)
        return ""

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def names(filters: SavedFilters) -> list[str]:
    return [saved.name for saved in filters.all()]


def test_saved_filter_is_stored_and_audited(filters: SavedFilters, database: Database) -> None:
    saved = filters.save("  Without   heartbeats ", QUIET, by="operator")
    (stored_filter,) = SavedFilters(database).all()
    assert (stored_filter.id, stored_filter.name, stored_filter.arguments, stored_filter.created_by) == (
        saved.id,
        "Without heartbeats",
        QUIET,
        "operator",
    )
    assert abs((datetime.now(UTC) - stored_filter.created_at).total_seconds()) < 60
    stored = fields_of(database.documents.collection("filters").document(saved.id).get())
    assert stored["columns"] == ["type", "data.user.id"]
    assert audited(database) == [("operator", "filter.save", "Without heartbeats: -type=heartbeat")]


def test_filters_are_listed_by_name(filters: SavedFilters) -> None:
    for name in ("b", "C", "a"):
        filters.save(name, QUIET, by="operator")
    assert names(filters) == ["a", "b", "C"]


def test_name_is_unique_regardless_of_case(filters: SavedFilters, database: Database) -> None:
    filters.save("Failures", ListArguments("status=FAILED"), by="operator")
    with pytest.raises(DocumentExistsError, match="There is a filter 'FAILURES' already"):
        filters.save("FAILURES", QUIET, by="admin")
    assert [saved.arguments.query for saved in filters.all()] == ["status=FAILED"]
    assert len(audited(database)) == 1, "a refused save is not in the audit"


@pytest.mark.parametrize(
    ("name", "view", "sentence"),
    [
        ("", QUIET, "name: is missing"),
        (" \n ", QUIET, "name: is missing"),
        ("x" * 81, QUIET, "name: has 81 characters; the maximum is 80"),
        ("a\u202eb", QUIET, "name: contains an invisible character"),
        ("nothing", ListArguments(), "q: is empty"),
    ],
)
def test_unusable_filter_is_refused_with_a_reason(
    filters: SavedFilters, name: str, view: ListArguments, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        filters.save(name, view, by="operator")
    assert not filters.all()


@pytest.mark.parametrize("text", ["status=FAILED levl:high", '"half', "x -", "kind:xml", "x" * 2001])
def test_wrong_query_is_refused_like_in_the_search_box(filters: SavedFilters, text: str) -> None:
    with pytest.raises(QueryError) as searched:
        parse(text, AT)
    with pytest.raises(QueryError) as saved:
        filters.save("wrong", ListArguments(text), by="operator")
    assert (saved.value.column, saved.value.problem) == (searched.value.column, searched.value.problem)
    assert not filters.all()


def test_at_most_a_hundred_filters_are_saved(filters: SavedFilters, database: Database) -> None:
    batch = database.documents.batch()
    for number in range(MAX_FILTERS - 1):
        batch.set(database.documents.collection("filters").document(str(number)), {"name": str(number), "query": "x"})
    batch.commit()
    filters.save("the last", QUIET, by="operator")
    with pytest.raises(InputError, match="one too many: 100 filters are saved"):
        filters.save("one more", QUIET, by="operator")
    assert len(filters.all()) == MAX_FILTERS


def test_at_most_one_filter_is_the_default(filters: SavedFilters, database: Database) -> None:
    one, other = filters.save("one", QUIET, by="operator"), filters.save("other", ListArguments("x"), by="operator")
    assert default_of(filters.all()) is None
    for chosen in (one, other, one):
        filters.set_default(chosen.id, by="admin")
        stored_filter = default_of(filters.all())
        assert stored_filter
        assert stored_filter.id == chosen.id
        assert sum(saved.default_since is not None for saved in filters.all()) == 1
    filters.clear_default(by="admin")
    assert default_of(filters.all()) is None
    filters.clear_default(by="admin")
    assert [entry[1:] for entry in audited(database)[2:]] == [
        ("filter.default", "one: -type=heartbeat"),
        ("filter.default", "other: x"),
        ("filter.default", "one: -type=heartbeat"),
        ("filter.default", "none: the list opens with everything"),
    ]


def test_later_of_two_defaults_counts() -> None:
    marked = [
        SavedFilter(name, name, QUIET, "operator", AT, AT.replace(hour=hour)) for name, hour in (("a", 2), ("b", 1))
    ]
    stored_filter = default_of([*marked, SavedFilter("c", "c", QUIET, "operator", AT)])
    assert stored_filter
    assert stored_filter.name == "a"


def test_concurrent_changes_each_report_their_outcome(filters: SavedFilters, database: Database) -> None:
    filters.all()  # the connection is there
    saved = at_once([lambda: filters.save("Failures", QUIET, by="operator")] * 6)
    assert sorted(saved) == ["", *["There is a filter 'Failures' already: delete it, or change the name."] * 5]
    many = [filters.save(name, ListArguments(name), by="operator") for name in "abcdef"]
    assert at_once([partial(filters.set_default, saved_filter.id, by="admin") for saved_filter in many]) == [""] * 6
    assert default_of(filters.all()) is not None
    filters.set_default(many[0].id, by="admin")
    assert [saved.name for saved in filters.all() if saved.default_since] == ["a"]
    for unwanted in many[1:]:
        gone = at_once([partial(filters.delete, unwanted.id, by="admin")] * 8)
        assert gone.count("") == 1
        assert not [text for text in gone if "Firestore" in text], "the text names no internal service"
    assert names(filters) == ["a", "Failures"]
    assert [what for _, what, _ in audited(database)].count("filter.delete") == 5


def test_deleted_filter_is_gone_and_not_the_default(filters: SavedFilters, database: Database) -> None:
    saved = filters.save("gone", QUIET, by="operator")
    filters.set_default(saved.id, by="operator")
    assert filters.delete(saved.id, by="admin").name == "gone"
    assert default_of(filters.all()) is None
    assert audited(database)[-1] == ("admin", "filter.delete", "gone: -type=heartbeat")
    for change in (filters.delete, filters.set_default):
        with pytest.raises(DocumentNotFoundError, match="There is no such filter"):
            change(saved.id, by="admin")


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": 1, "query": None, "columns": "type"}, {"columns": [1, None], "created_at": "x", "default_since": 1}],
)
def test_fields_of_a_wrong_type_count_as_empty(fields: dict[str, object]) -> None:
    stored_filter = filter_of("x", fields)
    assert (stored_filter.name, stored_filter.arguments, stored_filter.default_since) == ("", ListArguments(), None)


def test_document_without_a_name_is_not_listed(filters: SavedFilters, database: Database) -> None:
    database.documents.collection("filters").document("odd").set({"query": ["x"]})
    filters.save("even", QUIET, by="operator")
    assert names(filters) == ["even"]


@pytest.mark.parametrize("document", ["..", "a/b", "__x__", "", "x" * 129, "no-such-filter"])
def test_malformed_or_unknown_id_is_not_found(filters: SavedFilters, document: str) -> None:
    with pytest.raises(DocumentNotFoundError):
        filters.delete(document, by="operator")


def test_filter_id_ignores_case() -> None:
    assert filter_id("a/b") == filter_id("A/B") != filter_id("a b")
