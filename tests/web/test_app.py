"""The application starts without Firestore, reports whether it is ready, and answers every error in one shape."""

import socket
import time

import pytest
from flask import Flask

from infra.version import VERSION
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.ports import free_port
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor


def test_process_is_up_and_not_ready_without_firestore() -> None:
    with running(settings_for(f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")) as app:
        stranger = Visitor(app)
        assert (stranger.get("/healthz").status_code, stranger.get("/healthz").text) == (200, "ok\n")
        ready = stranger.get("/ready")
        assert ready.status_code == 503
        assert ready.json is not None
        assert ready.json == {
            "ready": False,
            "firestore": "unreachable",
            "feed": ready.json["feed"],
            "version": VERSION,
        }
        assert ready.json["feed"] == {"status": "idle", "since": ready.json["feed"]["since"]}
        assert "127.0.0.1" not in ready.text, "the answer is public"


def test_page_without_firestore_explains_the_503() -> None:
    with running(settings_for(f"127.0.0.1:{free_port()}", LOG_LEVEL="CRITICAL")) as app:
        stranger = Visitor(app)
        stranger.client.set_cookie("subscope", "x" * 43 + ".user")
        answer = stranger.get("/messages")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "Nothing is lost: messages wait in Pub/Sub." in answer.text
        assert "127.0.0.1" not in answer.text, "a person has no use for our inner addresses"


def test_page_answers_503_in_time_if_firestore_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings = settings_for(f"127.0.0.1:{deaf.getsockname()[1]}", LOG_LEVEL="CRITICAL")
        with running(settings) as app:
            stranger = Visitor(app)
            stranger.client.set_cookie("subscope", "x" * 43 + ".user")
            began = time.monotonic()
            answer = stranger.get("/messages")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert time.monotonic() - began < 7
            assert stranger.get("/healthz").status_code == 200


def test_process_is_ready_with_firestore(stranger: Visitor) -> None:
    ready = stranger.get("/ready")
    assert ready.json is not None
    assert (ready.status_code, ready.json["ready"], ready.json["firestore"]) == (200, True, "reachable")


def test_help_page_shows_the_version(viewer: Visitor) -> None:
    assert f"Subscope {VERSION}" in viewer.get("/help").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/messages/zz", 404),
        ("DELETE", "/messages", 405),
        ("GET", "/messages?before=1", 400),
        ("GET", "/messages?subscription=other", 400),
    ],
)
def test_errors_have_one_shape(viewer: Visitor, method: str, path: str, status: int) -> None:
    data = viewer.client.open(path, method=method, headers=SCRIPT)
    assert data.status_code == status
    assert data.json is not None
    assert set(data.json) == {"error"}
    assert set(data.json["error"]) == {"status", "title", "detail"}
    assert data.json["error"]["status"] == status
    page = viewer.client.open(path, method=method, headers=PAGE)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert f'<p class="status-number">{status}</p>' in page.text


def test_unexpected_error_shows_no_details(firestore: LocalFirestore) -> None:
    with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL")) as app:
        _add_broken_route(app)
        for headers in (PAGE, SCRIPT):
            answer = Visitor(app).get("/broken", headers)
            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert "has been logged" in answer.text


def test_form_over_the_limit_answers_413(stranger: Visitor) -> None:
    answer = stranger.client.post("/login", data={"username": "x" * 200_000}, headers=SCRIPT)
    assert (answer.status_code, answer.json and answer.json["error"]["status"]) == (413, 413)


def _add_broken_route(app: Flask) -> None:
    from web.access.roles import public

    @app.get("/broken")
    @public
    def broken() -> str:
        raise ValueError("secret")
