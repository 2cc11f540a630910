"""Coloured filters: which ones can have a colour, and the rows that they mark, loaded, live and through a mask."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask

from infra.errors import InputError, StoreUnavailableError
from infra.logs import Logger
from infra.query.list_arguments import ListArguments
from infra.saved_filters import SavedFilter
from infra.saved_filters.colouring import MAX_CHARACTERS, MAX_COLOURED, colour_problem
from tests.support.cpu_cost import assert_cheap
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION, settings_for
from tests.support.received import message
from tests.support.viewer.app import running
from tests.support.viewer.feed import Frames
from tests.support.viewer.topics import store
from tests.support.viewer.visitor import SCRIPT, Visitor, add_user, services_of
from web.filters.highlights import KEPT_SECONDS, HighlightReader, highlight_of, highlights_of

AT = datetime(2026, 1, 2, tzinfo=UTC)


def coloured(name: str, query: str, colour: str = "amber", subscription: str = "") -> SavedFilter:
    return SavedFilter(name, name, ListArguments(query, subscription), "operator", AT, colour=colour)


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    """A viewer and a database for this module only: coloured filters change every list."""
    own = {"FIRESTORE_DATABASE": f"colours-{uuid4().hex[:8]}"}
    settings = settings_for(firestore.address, **own, MASKED_FIELDS="email", LOG_LEVEL="CRITICAL")
    with running(settings) as made:
        yield made


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "operator", "operator"))


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, "viewer", "viewer"))


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("severity=error", ""),
        ("type=order OR refused -kind:binary", ""),
        ("", "has terms"),
        ("refused after:10m", "without times"),
        ("refused OR BEFORE:2026-01-01", "without times"),
        ("data.items.*.id=7", "without a path with *"),
        ("(data.total>5 OR size>1kb) status!=x", ""),
        ("-(a OR data.at>10m)", "without times"),
        ("published:1h.. x", "without times"),
        ("a OR -/x+y/", "without regular expressions"),
        ("x" * (MAX_CHARACTERS + 1), "at most 300 characters"),
    ],
)
def test_filter_that_can_be_compared_with_every_row_can_have_a_colour(query: str, problem: str) -> None:
    found = colour_problem(ListArguments(query, SUBSCRIPTION))
    assert problem in found
    assert bool(found) is bool(problem)


def test_first_matching_rule_by_name_marks_a_message() -> None:
    rules = highlights_of(
        [coloured("errors", "severity=error", "red"), coloured("orders", "type=order"), coloured("plain", "x", "")]
    )
    assert [rule.name for rule in rules] == ["errors", "orders"]
    both = message(attributes={"type": "order", "severity": "ERROR"})
    for stored, name in ((both, "errors"), (message(attributes={"type": "order"}), "orders"), (message(b"x"), None)):
        found = highlight_of(stored, rules)
        assert (found.name if found else None) == name
    elsewhere = highlights_of([coloured("other", "x", subscription="other")])
    assert highlight_of(message(b"x", subscription="builds"), elsewhere) is None
    assert highlights_of([coloured("same", "x")]) == highlights_of([coloured("same", "x")]), "frames are shared"


def test_rules_that_were_edited_in_the_console_are_skipped_or_bounded() -> None:
    wrong = [coloured("a", "wrong:word"), coloured("b", "after:1h"), coloured("c", "x", "#ff0000"), coloured("d", "")]
    assert highlights_of(wrong) == ()
    assert len(highlights_of([coloured(f"n{number}", "x") for number in range(20)])) == MAX_COLOURED


def test_all_rules_together_are_cheap() -> None:
    text = " ".join(f"word{number}" for number in range(28))
    rules = highlights_of([coloured(f"n{number}", f"{text} {number}"[:300]) for number in range(MAX_COLOURED)])
    assert len(rules) == MAX_COLOURED
    stored = message(b'{"text": "' + " ".join(f"word{number}" for number in range(1_500)).encode() + b'"}')
    # Ten messages of 16 KB. The row of one costs about as much as a twentieth of the loop.
    assert_cheap(lambda: [highlight_of(stored, rules) for _ in range(10)], loops=0.5)
    assert all(rule.reads_payloads for rule in rules)
    assert not highlights_of([coloured("a", "severity>=error team=payments")])[0].reads_payloads


def test_rules_are_read_again_after_a_while_and_kept_while_firestore_is_away() -> None:
    now, answers = [0.0], iter([[coloured("a", "x")], [], [coloured("b", "x")]])

    def read() -> list[SavedFilter]:
        if filters := next(answers):
            return filters
        raise StoreUnavailableError("Firestore is away.")

    reader = HighlightReader(read, Logger("CRITICAL"), lambda: now[0])
    shown = []
    for now[0] in (0.0, KEPT_SECONDS - 1, KEPT_SECONDS + 1, 2 * KEPT_SECONDS + 2):
        shown.append([rule.name for rule in reader.current()])
    assert shown == [["a"], ["a"], ["a"], ["b"]]


def test_loaded_and_live_rows_are_marked_alike_and_masks_come_first(
    app: Flask, operator: Visitor, viewer: Visitor
) -> None:
    secret = uuid4().hex
    for name, q, colour in (("A secret", f"email={secret}", "red"), ("Orders <b>", "type=order", "teal")):
        assert operator.post("/filters", name=name, q=q, colour=colour).status_code == 303
    for who, mark in ((operator, 'data-highlight="red"'), (viewer, 'data-highlight="teal"')):
        frames = Frames()
        services_of(app).highlights.note(services_of(app).saved_filters.all())
        with who.client.get("/live", headers=SCRIPT, base_url=who.base_url, buffered=False) as answer:
            chunks = iter(answer.response)
            while not any(one.data["status"] == "live" for one in frames.of("feed")):
                frames.feed(next(chunks))  # type: ignore[arg-type]
            pushed = store(app, SUBSCRIPTION, b"{}", {"type": "order", "email": secret})
            while pushed.id not in frames.ids():
                frames.feed(next(chunks))  # type: ignore[arg-type]
        live = next(frame.data["html"] for frame in frames.of("message") if frame.data["id"] == pushed.id)
        assert mark in live
        loaded = who.get("/messages", SCRIPT).json
        assert loaded is not None
        assert [row["html"] for row in loaded["rows"] if row["id"] == pushed.id] == [live]
        assert live in who.get("/messages").text
    assert "Orders &lt;b&gt;" in live
    assert secret not in live


def test_colour_is_changed_by_operators_alone_and_audited(app: Flask, operator: Visitor, viewer: Visitor) -> None:
    saved = services_of(app).saved_filters.save("To colour", ListArguments("type=colour"), by="operator")
    assert viewer.post(f"/filters/{saved.id}/colour", colour="blue").status_code == 403
    assert operator.post(f"/filters/{saved.id}/colour", colour="blue").location == "/filters?notice=colour"
    page = viewer.get("/filters").text
    assert '<span class="swatch" data-highlight="blue">Blue</span>' in page
    assert operator.post(f"/filters/{saved.id}/colour", colour="plaid").status_code == 400
    assert operator.post("/filters/nothing/colour", colour="blue").status_code == 404
    assert operator.post(f"/filters/{saved.id}/colour", colour="").status_code == 303
    audit = [document.to_dict() or {} for document in services_of(app).database.documents.collection("audit").stream()]
    details = {entry["detail"] for entry in audit if entry["what"] == "filter.colour"}
    assert details == {"To colour: none", "To colour: blue"}
    late = operator.post("/filters", name="Late", q="x after:1h", colour="blue")
    assert late.status_code == 400
    assert "without times" in late.text


def test_colours_are_bounded(app: Flask) -> None:
    filters = services_of(app).saved_filters
    used = sum(bool(saved.colour) for saved in filters.all())
    for number in range(MAX_COLOURED - used):
        filters.save(f"many {number}", ListArguments(f"n={number}"), by="operator", colour="grey")
    with pytest.raises(InputError, match="one too many"):
        filters.save("one more", ListArguments("n=x"), by="operator", colour="grey")
