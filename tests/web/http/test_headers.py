"""The headers of every route, errors and the stream included; pages without inline scripts or styles."""

import re

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.firestore.writer import Writer
from tests.support.viewer.app import path_of, rules, running
from tests.support.viewer.visitor import PAGE, Visitor
from web.http.static_files import current_version

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CHANGING_PATHS = ("/login", "/logout", "/password", "/subscriptions/builds/stop")


def check(headers: dict[str, str], path: str) -> None:
    assert headers["Content-Security-Policy"] == POLICY, path
    assert headers["X-Content-Type-Options"] == "nosniff", path
    assert headers["Referrer-Policy"] == "same-origin", path
    assert "camera=()" in headers["Permissions-Policy"], path


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_every_route_sends_the_headers(app: Flask, who: str, request: pytest.FixtureRequest) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    for rule in rules(app):
        if "GET" not in (rule.methods or set()):
            continue
        path = path_of(rule)
        answer = visitor.client.open(path, method="HEAD" if path == "/live" else "GET", headers=PAGE)
        check(dict(answer.headers), path)
        if rule.endpoint not in ("static", "bootstrap.static", "messages.pygments_css"):
            assert answer.headers["Cache-Control"] == "no-store", path
        answer.close()


def test_errors_send_the_headers(viewer: Visitor, stranger: Visitor) -> None:
    for path in ("/nowhere", "/messages/zz", "/messages?before=x", "/messages/" + "0" * 32):
        check(dict(viewer.get(path).headers), path)
    for path in CHANGING_PATHS:
        answer = stranger.client.post(path, headers=PAGE)
        check(dict(answer.headers), path)
        assert answer.headers["Cache-Control"] == "no-store"


def test_hsts_is_sent_only_over_https(stranger: Visitor, app: Flask) -> None:
    assert "Strict-Transport-Security" not in stranger.get("/login").headers
    secure = Visitor(app, base_url="https://viewer.example").get("/login")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_static_files_of_this_version_may_be_kept(stranger: Visitor) -> None:
    page = stranger.get("/login").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        answer = stranger.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        answer.close()


def test_static_file_of_another_version_is_todays_and_not_kept(stranger: Visitor) -> None:
    name = "js/list/main.js"
    other, current = stranger.get(f"/static/0123456789ab/{name}"), stranger.get(f"/static/{current_version()}/{name}")
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-cache")
    assert other.data == current.data
    for answer in (other, current):
        answer.close()


def test_static_path_cannot_leave_its_folder(stranger: Visitor) -> None:
    for name in ("../__init__.py", "css/../../__init__.py", "bootstrap/css/bootstrap.css", "nothing.js"):
        answer = stranger.get(f"/static/{current_version()}/{name}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store"), name


def test_bootstraps_own_files_keep_their_address(app: Flask, stranger: Visitor) -> None:
    assert {rule.rule for rule in rules(app) if rule.endpoint == "bootstrap.static"} == {
        "/bootstrap/static/<path:filename>"
    }
    answer = stranger.get("/bootstrap/static/css/bootstrap.min.css")
    assert answer.status_code == 200
    answer.close()


def test_pages_have_no_inline_and_no_foreign_code(viewer: Visitor, stranger: Visitor, writer: Writer) -> None:
    document = writer.message()
    pages = [viewer.get(path).text for path in ("/messages", f"/messages/{document}", "/password", "/nowhere")]
    for page in [*pages, stranger.get("/login").text]:
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", page), "an inline script"
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page), "an inline style or handler"
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), "something from another host"


def test_only_sign_in_sets_a_cookie_for_guests(app: Flask, stranger: Visitor) -> None:
    for rule in rules(app):
        if "GET" in (rule.methods or set()) and rule.endpoint != "sign_in.login":
            answer = Visitor(app).get(path_of(rule))
            assert "Set-Cookie" not in answer.headers, path_of(rule)
            answer.close()
    assert "HttpOnly" in stranger.get("/login").headers["Set-Cookie"]


def test_cookie_of_a_signed_in_user_is_not_sent_again(viewer: Visitor) -> None:
    assert "Set-Cookie" not in viewer.get("/password").headers


def test_environment_label_is_shown(firestore: LocalFirestore) -> None:
    settings = settings_for(firestore.address, ENVIRONMENT_LABEL="Prod <eu>", LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        page = Visitor(app).get("/login").text
    assert 'data-environment="prod &lt;eu&gt;">Prod &lt;eu&gt;<' in page
