"""Saved filters: shared, checked like the search box, once by each name, at most one the default, every change told."""

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
    """A database of the test's own: the collection is counted as a whole."""
    database = Database(dataclasses.replace(settings, firestore_database=f"filters-{uuid4().hex[:8]}"))
    yield database
    database.close()


@pytest.fixture
def filters(database: Database) -> SavedFilters:
    return SavedFilters(database)


def audited(database: Database) -> list[tuple[str, str, str]]:
    found = [fields_of(one) for one in database.documents.collection("audit").stream()]
    return [(one["who"], one["what"], one["detail"]) for one in sorted(found, key=lambda one: one["at"])]


def at_once(actions: list[Callable[[], object]]) -> list[str]:
    """What each of several people is told who act at the same moment; empty when it worked."""
    together = Barrier(len(actions))

    def act(action: Callable[[], object]) -> str:
        together.wait(10)
        try:
            action()
        except SubscopeError as exc:
            return str(exc)
        return ""

    with ThreadPoolExecutor(len(actions)) as several:
        return list(several.map(act, actions))


def names(filters: SavedFilters) -> list[str]:
    return [one.name for one in filters.all()]


def test_what_is_saved_is_there_for_everybody(filters: SavedFilters, database: Database) -> None:
    saved = filters.save("  Without   heartbeats ", QUIET, by="ana")
    (found,) = SavedFilters(database).all()
    assert (found.id, found.name, found.view, found.created_by) == (saved.id, "Without heartbeats", QUIET, "ana")
    assert abs((datetime.now(UTC) - found.created_at).total_seconds()) < 60
    stored = fields_of(database.documents.collection("filters").document(saved.id).get())
    assert stored["columns"] == ["type", "data.user.id"]
    assert audited(database) == [("ana", "filter.save", "Without heartbeats: -type=heartbeat")]


def test_they_are_listed_by_name(filters: SavedFilters) -> None:
    for name in ("b", "C", "a"):
        filters.save(name, QUIET, by="ana")
    assert names(filters) == ["a", "b", "C"]


def test_a_name_is_there_once(filters: SavedFilters, database: Database) -> None:
    filters.save("Failures", ListArguments("status=FAILED"), by="ana")
    with pytest.raises(DocumentExistsError, match="There is a filter 'FAILURES' already"):
        filters.save("FAILURES", QUIET, by="ben")
    assert [one.view.query for one in filters.all()] == ["status=FAILED"]
    assert len(audited(database)) == 1, "what did not happen is not in the audit"


@pytest.mark.parametrize(
    ("name", "view", "sentence"),
    [
        ("", QUIET, "name: is missing"),
        (" \n ", QUIET, "name: is missing"),
        ("x" * 81, QUIET, "name: has 81 characters; 80 are the most"),
        ("a\u202eb", QUIET, "name: holds a character that cannot be seen"),
        ("nothing", ListArguments(), "q: is empty"),
    ],
)
def test_what_cannot_be_saved_is_told(filters: SavedFilters, name: str, view: ListArguments, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        filters.save(name, view, by="ana")
    assert not filters.all()


@pytest.mark.parametrize("text", ["status=FAILED levl:high", '"half', "x -", "kind:xml", "x" * 2001])
def test_a_wrong_filter_is_refused_as_the_search_box_does(filters: SavedFilters, text: str) -> None:
    with pytest.raises(QueryError) as searched:
        parse(text, AT)
    with pytest.raises(QueryError) as saved:
        filters.save("wrong", ListArguments(text), by="ana")
    assert (saved.value.column, saved.value.problem) == (searched.value.column, searched.value.problem)
    assert not filters.all()


def test_there_are_at_most_a_hundred(filters: SavedFilters, database: Database) -> None:
    batch = database.documents.batch()
    for number in range(MAX_FILTERS - 1):
        batch.set(database.documents.collection("filters").document(str(number)), {"name": str(number), "query": "x"})
    batch.commit()
    filters.save("the last", QUIET, by="ana")
    with pytest.raises(InputError, match="one too many: 100 filters are saved"):
        filters.save("one more", QUIET, by="ana")
    assert len(filters.all()) == MAX_FILTERS


def test_one_at_most_is_the_default(filters: SavedFilters, database: Database) -> None:
    one, other = filters.save("one", QUIET, by="ana"), filters.save("other", ListArguments("x"), by="ana")
    assert default_of(filters.all()) is None
    for chosen in (one, other, one):
        filters.set_default(chosen.id, by="ben")
        found = default_of(filters.all())
        assert found
        assert found.id == chosen.id
        assert sum(saved.default_since is not None for saved in filters.all()) == 1
    filters.clear_default(by="ben")
    assert default_of(filters.all()) is None
    filters.clear_default(by="ben")
    assert [entry[1:] for entry in audited(database)[2:]] == [
        ("filter.default", "one: -type=heartbeat"),
        ("filter.default", "other: x"),
        ("filter.default", "one: -type=heartbeat"),
        ("filter.default", "none: the list opens with everything"),
    ]


def test_of_two_defaults_the_later_one_counts() -> None:
    marked = [SavedFilter(name, name, QUIET, "ana", AT, AT.replace(hour=hour)) for name, hour in (("a", 2), ("b", 1))]
    found = default_of([*marked, SavedFilter("c", "c", QUIET, "ana", AT)])
    assert found
    assert found.name == "a"


def test_of_several_who_act_at_once_each_is_told_what_became_of_it(filters: SavedFilters, database: Database) -> None:
    filters.all()  # the connection is there
    saved = at_once([lambda: filters.save("Failures", QUIET, by="ana")] * 6)
    assert sorted(saved) == ["", *["There is a filter 'Failures' already: delete it, or change the name."] * 5]
    many = [filters.save(name, ListArguments(name), by="ana") for name in "abcdef"]
    assert at_once([partial(filters.set_default, one.id, by="ben") for one in many]) == [""] * 6
    assert default_of(filters.all()) is not None
    filters.set_default(many[0].id, by="ben")
    assert [one.name for one in filters.all() if one.default_since] == ["a"]
    for one in many[1:]:
        gone = at_once([partial(filters.delete, one.id, by="ben")] * 8)
        assert gone.count("") == 1
        assert not [told for told in gone if "Firestore" in told], "a person has no use for our inner sentences"
    assert names(filters) == ["a", "Failures"]
    assert [what for _, what, _ in audited(database)].count("filter.delete") == 5


def test_a_deleted_one_is_gone_and_no_default_any_more(filters: SavedFilters, database: Database) -> None:
    saved = filters.save("gone", QUIET, by="ana")
    filters.set_default(saved.id, by="ana")
    assert filters.delete(saved.id, by="ben").name == "gone"
    assert default_of(filters.all()) is None
    assert audited(database)[-1] == ("ben", "filter.delete", "gone: -type=heartbeat")
    for change in (filters.delete, filters.set_default):
        with pytest.raises(DocumentNotFoundError, match="There is no such filter"):
            change(saved.id, by="ben")


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": 1, "query": None, "columns": "type"}, {"columns": [1, None], "created_at": "x", "default_since": 1}],
)
def test_what_somebody_made_in_the_console_breaks_nothing(fields: dict[str, object]) -> None:
    found = filter_of("x", fields)
    assert (found.name, found.view, found.default_since) == ("", ListArguments(), None)


def test_a_document_without_a_name_is_not_listed(filters: SavedFilters, database: Database) -> None:
    database.documents.collection("filters").document("odd").set({"query": ["x"]})
    filters.save("even", QUIET, by="ana")
    assert names(filters) == ["even"]


@pytest.mark.parametrize("document", ["..", "a/b", "__x__", "", "x" * 129, "no-such-filter"])
def test_what_is_no_id_finds_nothing(filters: SavedFilters, document: str) -> None:
    with pytest.raises(DocumentNotFoundError):
        filters.delete(document, by="ana")


def test_capitals_make_no_other_name() -> None:
    assert filter_id("a/b") == filter_id("A/B") != filter_id("a b")
