"""Requests while the memory for payloads is used up: each large payload gets 503, and all else is served.

Downloads and exports, however many run, leave the memory in which pages are drawn.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from flask import Flask

from tests.support.firestore.writer import Writer
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor, add_user, services_of
from tests.support.waiting import wait_until

SENTENCE = "Too many payloads are being read or sent. Try again in a moment."
LARGE = ["/messages/{}", "/messages/{}/data", "/api/v1/messages/{}", "/api/v1/messages/{}/data", "/export.csv?q=large"]
# A browser takes a page compressed, so that it is not large while it is sent.
BROWSER = {**PAGE, "Accept-Encoding": "gzip", "Sec-Fetch-Site": "none"}
SMALL = ["/messages/{}", "/messages/{}/data", "/api/v1/messages/{}", "/messages"]


@pytest.fixture
def _full(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let two other people use all the memory."""
    with ExitStack() as stack:
        for budget in (services_of(app).payload_memory, services_of(app).page_memory):
            monkeypatch.setattr(budget, "wait_seconds", 0.0)
            for person in ("first", "second"):
                stack.enter_context(budget.held(person, budget.total_bytes))
        yield


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize("path", LARGE)
def test_large_payload_answers_503_with_a_sentence(operator: Visitor, writer: Writer, path: str) -> None:
    document = writer.large(b"x" * 2_000_000)
    answer = operator.get(path.format(document), SCRIPT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json
    assert answer.json["error"]["detail"] == SENTENCE


@pytest.mark.usefixtures("_full")
def test_export_without_memory_is_refused_before_the_audit_has_it(app: Flask, operator: Visitor) -> None:
    exports = services_of(app).shares.exports
    assert operator.get("/export.ndjson?q=refused-for-memory").status_code == 503
    entries = services_of(app).database.documents.collection("audit").stream()
    assert not [entry for entry in entries if entry.get("detail") == "q=refused-for-memory"]
    assert len(exports) == 0


def test_exports_of_all_places_run_and_leave_every_page(app: Flask, operator: Visitor, writer: Writer) -> None:
    services, document = services_of(app), writer.large(b'{"a":1,' + b'"b":[1,2,3],' * 50_000 + b'"c":2}', kind="json")
    with ExitStack() as stack:
        for person in (operator.name, "exporting-2", "exporting-3", "exporting-4"):
            visitor = operator if person == operator.name else Visitor(app, add_user(app, person, "operator"))
            for _ in range(services.shares.exports.of_one):
                answer = stack.enter_context(visitor.get("/export.csv?q=word"))
                assert answer.status_code == 200
        assert services.payload_memory.try_to_reserve("another", 1) is None
        for reader in (operator, Visitor(app, add_user(app, "reading-5", "viewer"))):
            assert reader.get(f"/messages/{document}?view=pretty", BROWSER).status_code == 200
    assert services.payload_memory.try_to_reserve("another", services.payload_memory.total_bytes // 2)


def test_page_that_waits_for_its_search_holds_no_memory(app: Flask, operator: Visitor, writer: Writer) -> None:
    services, document = services_of(app), writer.large(b"x" * 2_000_000)
    searches, memory = services.shares.searches, services.page_memory
    with ThreadPoolExecutor(1) as pool:
        with ExitStack() as stack:
            for _ in range(searches.of_one):
                stack.enter_context(searches.held(operator.name))
            page = pool.submit(operator.get, f"/messages/{document}", BROWSER)
            wait_until(lambda: searches._waiting[operator.name] == 1, "the page's search for replays", 2)
            free = [memory.try_to_reserve(other, memory.total_bytes // 2) for other in ("first", "second")]
            assert all(free)
        del free
        assert page.result(5).status_code == 200


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize("path", SMALL)
def test_small_payload_and_list_are_shown(operator: Visitor, writer: Writer, path: str) -> None:
    assert operator.get(path.format(writer.message())).status_code == 200


@pytest.mark.usefixtures("_full")
def test_large_form_answers_503_and_a_small_one_is_read(operator: Visitor) -> None:
    assert SENTENCE in operator.post("/publish", topic="t", data="x" * 100_000).text
    assert SENTENCE not in operator.post("/publish", topic="t", data="x" * 1_000).text


def test_form_gives_its_memory_back(app: Flask, operator: Visitor) -> None:
    budget = services_of(app).payload_memory
    operator.post("/publish", topic="t", data="x" * 100_000)
    operator.get("/messages/" + "0" * 32)
    everything = budget.try_to_reserve("first", budget.total_bytes // 2)
    assert everything
    assert budget.try_to_reserve("second", budget.total_bytes // 2)
