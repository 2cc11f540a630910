"""Searches and exports of one person at a time: the person is told, and others get their list."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from tests.support.viewer.visitor import SCRIPT, Visitor, add_user, services_of
from web.access.places import Places


@pytest.fixture
def taken(app: Flask, name: str) -> Iterator[Visitor]:
    """Sign in a person with as many searches and exports as there are places for one."""
    visitor = Visitor(app, add_user(app, name, "operator"))
    shares = services_of(app).shares
    with ExitStack() as stack:
        for places in (shares.searches, shares.exports):
            for _ in range(places.of_one):
                stack.enter_context(places.held(name))
        yield visitor


def test_person_with_many_searches_is_refused_and_another_one_finds(taken: Visitor, operator: Visitor) -> None:
    refused = taken.get("/api/v1/messages?q=word", SCRIPT)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json is not None
    assert refused.json["error"]["detail"] == (
        "You have 4 searches running, the most for one person. Wait until one ends."
    )
    assert operator.get("/api/v1/messages?q=word", SCRIPT).status_code == 200


def test_person_with_many_exports_is_refused_before_the_file(taken: Visitor, operator: Visitor) -> None:
    refused = taken.get("/export.ndjson?q=word%3D1")
    assert refused.status_code == 503
    assert "You have 2 exports running, the most for one person. Wait until one ends." in refused.text
    exports = services_of(operator.app).shares.exports
    before = len(exports)
    with operator.get("/export.ndjson?q=word%3D1") as answer:
        assert answer.status_code == 200
        answer.get_data()
    assert len(exports) == before


def test_quarter_of_the_places_is_for_one_person(app: Flask) -> None:
    shares = services_of(app).shares
    quarters: list[Places] = [shares.searches, shares.exports]
    assert [places.of_one for places in quarters] == [4, 2]
    assert shares.pages._rate.per_second + shares.background._rate.per_second == 1 / 4
