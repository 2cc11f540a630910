"""Signing in and out: one sentence for every refusal, a new cookie each time, sessions that end on the server."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import grpc
import pytest
from flask import Flask

from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import COOKIE, PAGE, PASSWORD, SCRIPT, Visitor, add_user, services_of
from web.access.roles import session_still_valid
from web.access.sign_in import safe_next

PROBLEM = re.compile(r'<p class="problem" role="alert">([^<]*)</p>')


def sign_in(visitor: Visitor, name: str, password: str = PASSWORD, next_page: str = "") -> tuple[int, str]:
    """Post the form; return the status, and the sentence or the address of the redirect."""
    answer = visitor.post("/login", username=name, password=password, next=next_page)
    found = PROBLEM.search(answer.text)
    return answer.status_code, found.group(1) if found else answer.headers.get("Location", "")


def test_sign_in_redirects_to_the_list(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    assert sign_in(stranger, name) == (303, "/messages")
    assert stranger.get("/messages").status_code == 200


def test_unknown_user_and_wrong_password_get_the_same_answer(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    wrong = sign_in(stranger, name, "not the password")
    assert wrong == (401, "The name or the password is wrong.")
    assert sign_in(stranger, f"{name}-unknown", "not the password") == wrong


def test_each_sign_in_sets_a_new_cookie(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    stranger.token()
    guest = stranger.cookie
    sign_in(stranger, name)
    first = stranger.cookie
    assert len({guest, first, ""}) == 3
    sign_in(Visitor(app), name)
    replayed = Visitor(app)
    replayed.client.set_cookie(COOKIE, guest)
    assert replayed.get("/messages", SCRIPT).status_code == 401, "a guest's cookie never becomes a session"


def test_planted_cookie_is_replaced_at_sign_in(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    planted = "A" * 43 + "." + name
    stranger.client.set_cookie(COOKIE, planted)
    sign_in(stranger, name)
    assert stranger.cookie != planted
    thief = Visitor(app)
    thief.client.set_cookie(COOKIE, planted)
    assert thief.get("/session", SCRIPT).status_code == 401


def test_sign_out_ends_the_session_on_the_server(app: Flask, name: str) -> None:
    visitor = Visitor(app, add_user(app, name, "viewer"))
    kept = visitor.cookie
    answer = visitor.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?notice=out")
    assert visitor.cookie == ""
    visitor.client.set_cookie(COOKIE, kept)
    assert visitor.get("/session", SCRIPT).status_code == 401


def test_password_change_ends_the_other_sign_ins(app: Flask, name: str) -> None:
    here, elsewhere = Visitor(app, add_user(app, name, "viewer")), Visitor(app, name)
    answer = here.post("/password", current=PASSWORD, new="another good one", again="another good one")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/messages?notice=password")
    assert "Your password is changed." in here.get(answer.headers["Location"]).text
    assert elsewhere.get("/session", SCRIPT).status_code == 401
    assert sign_in(Visitor(app), name)[0] == 401
    assert sign_in(Visitor(app), name, "another good one")[0] == 303


@pytest.mark.parametrize(
    ("current", "new", "again", "sentence"),
    [
        ("wrong", "another good one", "another good one", "The current password is wrong."),
        (PASSWORD, "short", "short", "The new password: has 5 characters; the minimum is 12."),
        (PASSWORD, "another good one", "another good two", "The new password: the two new passwords differ."),
    ],
)
def test_invalid_password_change_is_refused(
    app: Flask, name: str, current: str, new: str, again: str, sentence: str
) -> None:
    visitor = Visitor(app, add_user(app, name, "viewer"))
    answer = visitor.post("/password", current=current, new=new, again=again)
    assert answer.status_code == 400
    assert PROBLEM.findall(answer.text) == [sentence]
    assert visitor.get("/session", SCRIPT).status_code == 200


def test_new_role_takes_effect_at_once(app: Flask, name: str) -> None:
    visitor = Visitor(app, add_user(app, name, "operator"))
    services_of(app).users.set_role(name, "viewer", by="tests")
    assert visitor.get("/session", SCRIPT).status_code == 401, "a new role ends all sessions"
    visitor = Visitor(app, name)
    assert visitor.post("/subscriptions/builds/stop", SCRIPT).status_code == 403


def check_of(app: Flask, visitor: Visitor) -> Callable[[], bool]:
    """Return the session check that the stream takes from its request."""
    with app.test_request_context("/live", headers={"Cookie": f"{COOKIE}={visitor.cookie}"}):
        app.preprocess_request()
        return session_still_valid()


def test_session_can_be_checked_after_its_request(app: Flask, name: str) -> None:
    visitor = Visitor(app, add_user(app, name, "viewer"))
    still_valid = check_of(app, visitor)
    assert still_valid()
    services_of(app).sessions.end(visitor.cookie)
    assert not still_valid()


def test_session_counts_as_valid_while_firestore_is_down() -> None:
    local = LocalFirestore()
    with running(settings_for(local.address, LOG_LEVEL="CRITICAL")) as app:
        visitor = Visitor(app, add_user(app, "user", "viewer"))
        still_valid = check_of(app, visitor)
        local.down()
        assert still_valid()
    local.close()


def test_session_counts_as_ended_if_firestore_denies_the_read() -> None:
    local = LocalFirestore()
    proxy = ListenProxy(local.address)
    with running(settings_for(proxy.address, LOG_LEVEL="CRITICAL")) as app:
        still_valid = check_of(app, Visitor(app, add_user(app, "user", "viewer")))
        proxy.refuse_reads = grpc.StatusCode.PERMISSION_DENIED
        assert not still_valid()
        proxy.refuse_reads = None
        assert still_valid()
    proxy.close()
    local.close()


def test_page_leads_to_sign_in_and_back(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    answer = stranger.get("/messages?subscription=builds")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/messages?subscription%3Dbuilds")
    assert "Sign in to go on" in stranger.get(answer.headers["Location"]).text
    assert sign_in(stranger, name, next_page="/messages?subscription=builds") == (303, "/messages?subscription=builds")


@pytest.mark.parametrize(
    "query", ["q=data.items.*.id%3D7", "q=a%3D(b),c;d!%20'e'", "q=x&before=1-a&columns=data.*", "q=[a]|{b}@/?"]
)
def test_filter_is_complete_after_sign_in(app: Flask, stranger: Visitor, name: str, query: str) -> None:
    add_user(app, name, "viewer")
    asked = stranger.get(f"/messages?{query}").headers["Location"]
    (wanted,) = parse_qs(urlsplit(asked).query)["next"]
    assert parse_qs(urlsplit(wanted).query) == parse_qs(query)
    status, location = sign_in(stranger, name, next_page=wanted)
    assert status == 303
    assert urlsplit(location).path == "/messages"
    assert parse_qs(urlsplit(location).query) == parse_qs(query)


def test_sign_in_page_is_reached_from_every_address(stranger: Visitor) -> None:
    answer = stranger.get("/messages?q=%22" + "%3D" * 1_998 + "%22")
    assert answer.status_code == 303
    assert len(f"GET {answer.headers['Location']} HTTP/1.1") < 8_190, "gunicorn refuses longer request lines"
    assert stranger.get(answer.headers["Location"]).status_code == 200


def test_scripts_and_streams_get_401(stranger: Visitor) -> None:
    for headers in (SCRIPT, {"Accept": "text/event-stream"}, {"Accept": "*/*"}):
        answer = stranger.get("/messages", headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/json")


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example",
        "//evil.example/messages",
        "/messages//evil.example",
        "/messages@evil.example",
        "/messages\r\nSet-Cookie: a=b",
        "/messages?a=\u202e",
        "/messages?a=\\evil.example",
        "/messages?a=b c",
        "/messages?a=\x7f",
        "/messages?a=b#c",
        "/%2f%2fevil.example",
        "javascript:alert(1)",
        "///messages",
        ".",
        "messages",
        "/logout",
        "/messages/../../evil",
        "/messages/" + "a" * 33,
    ],
)
def test_next_cannot_lead_to_another_site(next_page: str) -> None:
    assert safe_next(next_page) == "/messages"


class TestCookie:
    """Assert the flags of the cookie, or that no cookie is set if none is safe."""

    def test_on_https(self, app: Flask, name: str) -> None:
        add_user(app, name, "viewer")
        visitor = Visitor(app, base_url="https://viewer.example")
        answer = visitor.post("/login", username=name, password=PASSWORD)
        assert answer.status_code == 303
        (cookie,) = answer.headers.getlist("Set-Cookie")
        assert re.fullmatch(r"__Host-subscope=[^;]+; Secure; HttpOnly; Path=/; SameSite=Lax", cookie), cookie

    def test_on_loopback(self, app: Flask, name: str) -> None:
        add_user(app, name, "viewer")
        visitor = Visitor(app, base_url="http://127.0.0.1:8080")
        (cookie,) = visitor.post("/login", username=name, password=PASSWORD).headers.getlist("Set-Cookie")
        assert re.fullmatch(r"subscope=[^;]+; HttpOnly; Path=/; SameSite=Lax", cookie), cookie

    def test_on_plain_http_elsewhere(self, app: Flask) -> None:
        visitor = Visitor(app, base_url="http://viewer.example")
        page = visitor.get("/login")
        assert "Set-Cookie" not in page.headers
        answer = visitor.post("/login", username="admin", password=PASSWORD)
        assert answer.status_code == 400
        assert "Signing in needs https" in page.text
        assert "Signing in needs https" in answer.text

    @pytest.mark.parametrize("sent", ["http", "https"])
    def test_a_forwarded_scheme_counts_only_behind_the_front_end(
        self, firestore: LocalFirestore, monkeypatch: pytest.MonkeyPatch, sent: str
    ) -> None:
        with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL")) as plain:
            answer = plain.test_client().get("/login", headers={**PAGE, "X-Forwarded-Proto": sent})
            assert "__Host-" not in answer.headers["Set-Cookie"]
        monkeypatch.setenv("K_SERVICE", "viewer")
        with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL")) as behind:
            answer = behind.test_client().get("/login", headers={**PAGE, "X-Forwarded-Proto": f"http, {sent}"})
            assert ("__Host-" in answer.headers["Set-Cookie"]) == (sent == "https")


def test_next_is_kept_after_a_wrong_password(stranger: Visitor) -> None:
    target = "/messages?subscription=builds"
    stranger.get(f"/login?next={quote(target)}")
    answer = stranger.post("/login", username="nobody-at-all", password="x", next=target)
    assert f'name="next" value="{target}"' in answer.text
