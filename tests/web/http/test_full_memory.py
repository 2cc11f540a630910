"""Requests while the memory for payloads is used up: each large payload gets 503, and all else is served."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.writer import Writer
from tests.support.viewer.visitor import SCRIPT, Visitor, services_of

SENTENCE = "Too many payloads are being read or sent. Try again in a moment."
LARGE = ["/messages/{}", "/messages/{}/data", "/api/v1/messages/{}", "/api/v1/messages/{}/data", "/export.csv?q=large"]
SMALL = ["/messages/{}", "/messages/{}/data", "/api/v1/messages/{}", "/messages"]


@pytest.fixture
def _full(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let two other people use all the memory."""
    budget = services_of(app).payload_memory
    monkeypatch.setattr(budget, "wait_seconds", 0.0)
    with budget.held("first", budget.total_bytes), budget.held("second", budget.total_bytes):
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
