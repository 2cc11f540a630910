"""The role of every route, checked over the application's map, so that a new route cannot be forgotten."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.ports import free_port
from tests.support.viewer.app import path_of, rules, running
from tests.support.viewer.visitor import SCRIPT, Visitor, services_of, signed_in
from web.access.roles import access_of

PUBLIC = {"static", "bootstrap.static", "sign_in.login", "sign_in.sign_in", "messages.pygments_css"}
PUBLIC |= {"health.healthz", "health.ready"}
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def test_every_route_declares_a_role(app: Flask) -> None:
    undeclared = [rule.endpoint for rule in rules(app) if access_of(app, rule.endpoint) is None]
    assert not undeclared, f"these routes declare no role: {undeclared}"


def test_only_the_listed_routes_are_public(app: Flask) -> None:
    assert {rule.endpoint for rule in rules(app) if access_of(app, rule.endpoint) == "public"} == PUBLIC


def test_signed_out_client_gets_401_on_all_other_routes(app: Flask, stranger: Visitor) -> None:
    for rule in rules(app):
        if access_of(app, rule.endpoint) == "public":
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            headers = {**SCRIPT, "X-CSRFToken": stranger.token()}
            answer = stranger.client.open(path_of(rule), method=method, headers=headers)
            assert answer.status_code == 401, f"{method} {path_of(rule)} answered a stranger {answer.status_code}"


def test_viewer_gets_403_on_routes_of_operators(app: Flask, viewer: Visitor) -> None:
    refused = [rule for rule in rules(app) if access_of(app, rule.endpoint) in ("operator", "admin")]
    assert refused
    for rule in refused:
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            answer = viewer.client.open(path_of(rule), method=method, headers={**SCRIPT, "X-CSRFToken": viewer.token()})
            assert answer.status_code == 403, f"{method} {path_of(rule)} answered a viewer {answer.status_code}"
            assert answer.json is not None
            assert f"the role {access_of(app, rule.endpoint)}" in answer.json["error"]["detail"]


def test_operator_gets_403_on_routes_of_admins(app: Flask, operator: Visitor) -> None:
    refused = [rule for rule in rules(app) if access_of(app, rule.endpoint) == "admin"]
    assert {rule.rule for rule in refused} >= {"/users", "/sessions", "/audit"}
    for rule in refused:
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            headers = {**SCRIPT, "X-CSRFToken": operator.token()}
            answer = operator.client.open(path_of(rule), method=method, headers=headers)
            assert answer.status_code == 403, f"{method} {path_of(rule)} answered an operator {answer.status_code}"


def test_every_post_needs_a_form_token(app: Flask) -> None:
    admin = signed_in(app, "admin")
    for rule in rules(app):
        if "POST" in (rule.methods or set()):
            for token in ({}, {"X-CSRFToken": "x"}, {"X-CSRFToken": Visitor(app).token()}):
                answer = admin.client.post(path_of(rule), headers={**SCRIPT, **token})
                assert answer.status_code == 400, f"{rule.rule} answered {answer.status_code} without a form token"
                assert answer.json is not None
                assert "as the header X-CSRFToken" in answer.json["error"]["detail"]


def test_no_get_route_changes_anything(app: Flask) -> None:
    for rule in rules(app):
        methods = rule.methods or set()
        assert not (methods & CHANGING and "GET" in methods), f"{rule} both reads and changes"
        if any(word in rule.rule for word in ("start", "stop", "logout")):
            assert "GET" not in methods


@pytest.fixture
def empty_app() -> Iterator[Flask]:
    """A viewer whose Firestore holds no messages, so that all of it can be compared after each request."""
    local = LocalFirestore()
    settings = settings_for(local.address, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")
    with running(settings) as made:
        yield made
    local.close()


def test_get_routes_write_nothing_except_the_audit_of_exports(empty_app: Flask) -> None:
    app = empty_app
    admin = signed_in(app, "admin")
    database = services_of(app).database.documents

    def kept() -> set[tuple[str, object]]:
        collections = ("messages", "users", "filters", "audit", "rejections")
        return {
            (one.reference.path, one.update_time) for name in collections for one in database.collection(name).stream()
        }

    before = kept()
    for rule in rules(app):
        if (
            "GET" in (rule.methods or set())
            and not rule.endpoint.startswith("export.")
            and rule.endpoint != "live.live"
        ):
            admin.get(path_of(rule)).close()
            assert kept() == before, f"GET {rule} wrote something"


def test_route_without_a_role_answers_403(firestore: LocalFirestore) -> None:
    with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL")) as app:
        app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
        answer = Visitor(app).get("/forgotten", SCRIPT)
        assert answer.status_code == 403
        assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/subscriptions/builds/start", "/subscriptions/builds/stop", "/logout"])
def test_get_of_a_changing_route_answers_405(operator: Visitor, path: str) -> None:
    assert operator.get(path).status_code == 405
