"""Users and sessions, for admins: a change is shown and audited, and ends sign-ins; one admin always remains."""

import re
from html import unescape
from uuid import uuid4

import grpc
import pytest
from flask import Flask

from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PASSWORD, SCRIPT, Skeleton, Visitor, add_user, services_of

HOSTILE = "<script>alert(1)</script>\"'`{{7*7}}"


def shown_password(page: str) -> str:
    found = re.search(r'<strong class="mono secret">([^<]+)</strong>', page)
    assert found, "the page shows no password"
    return unescape(found.group(1))


def signs_in(app: Flask, name: str, password: str) -> bool:
    answer = Visitor(app).post("/login", username=name, password=password)
    return answer.status_code == 303


def role_of(app: Flask, name: str) -> str | None:
    found = services_of(app).users.get(name)
    return found.role if found else None


def test_added_users_random_password_is_shown_once(admin: Visitor, acting_app: Flask, name: str) -> None:
    answer = admin.post("/users", name=f" {name.upper()} ", role="operator")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    password = shown_password(answer.text)
    assert signs_in(acting_app, name, password)
    assert role_of(acting_app, name) == "operator"
    assert password not in admin.get("/users").text
    assert f"users/{name}" in admin.get("/audit?what=user.add").text


def test_chosen_password_is_not_shown(admin: Visitor, acting_app: Flask, name: str) -> None:
    answer = admin.post("/users", name=name, role="viewer", password=PASSWORD)
    assert PASSWORD not in answer.text
    assert signs_in(acting_app, name, PASSWORD)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"name": "a/b"}, 400, "The name is 1 to 100 small letters"),
        ({"name": HOSTILE}, 400, "The name is 1 to 100 small letters"),
        ({"name": ""}, 400, "The name is 1 to 100 small letters"),
        ({"role": "root"}, 400, "The role is one of viewer, operator, admin"),
        ({"role": HOSTILE}, 400, "The role is one of"),
        ({"password": "short"}, 400, "The password has 5 characters"),
    ],
)
def test_invalid_user_is_refused_with_a_reason(
    admin: Visitor, name: str, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = admin.post("/users", None, **{"name": name, "role": "viewer", **fields})
    assert answer.status_code == status
    assert sentence in answer.text
    assert "<script>alert" not in answer.text


def test_existing_name_is_refused(admin: Visitor, acting_app: Flask, name: str) -> None:
    add_user(acting_app, name, "viewer")
    answer = admin.post("/users", name=name, role="admin")
    assert answer.status_code == 409
    assert f"There is a user {name} already." in answer.text
    assert role_of(acting_app, name) == "viewer"


def test_role_change_ends_all_sign_ins(admin: Visitor, acting_app: Flask, name: str) -> None:
    somebody = Visitor(acting_app, add_user(acting_app, name, "operator"))
    assert somebody.get("/publish").status_code == 200
    answer = admin.post(f"/users/{name}/role", role="viewer")
    assert f"{name} has another role now" in admin.get(answer.headers["Location"]).text
    assert somebody.get("/messages", SCRIPT).status_code == 401
    assert role_of(acting_app, name) == "viewer"


def test_new_password_ends_all_sign_ins_and_is_shown_once(admin: Visitor, acting_app: Flask, name: str) -> None:
    somebody = Visitor(acting_app, add_user(acting_app, name, "viewer"))
    answer = admin.post(f"/users/{name}/password", confirmed="yes")
    password = shown_password(answer.text)
    assert somebody.get("/messages", SCRIPT).status_code == 401
    assert not signs_in(acting_app, name, PASSWORD)
    assert signs_in(acting_app, name, password)


def test_removed_user_is_signed_out_at_once(admin: Visitor, acting_app: Flask, name: str) -> None:
    somebody = Visitor(acting_app, add_user(acting_app, name, "viewer"))
    answer = admin.post(f"/users/{name}/remove", confirmed="yes")
    assert f"{name} is removed" in admin.get(answer.headers["Location"]).text
    assert somebody.get("/messages", SCRIPT).status_code == 401
    assert role_of(acting_app, name) is None
    assert admin.post(f"/users/{name}/remove", confirmed="yes").status_code == 404


def test_last_admin_cannot_be_removed_or_demoted(firestore: LocalFirestore) -> None:
    settings = settings_for(firestore.address, FIRESTORE_DATABASE=f"people-{uuid4().hex[:8]}", LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        last = Visitor(app, add_user(app, "last", "admin"))
        removed = last.post("/users/last/remove", confirmed="yes")
        changed = last.post("/users/last/role", role="viewer")
        for answer in (removed, changed):
            assert answer.status_code == 400
            assert "last is the last admin. Make another user an admin first." in answer.text
        assert role_of(app, "last") == "admin"
        add_user(app, "second", "admin")
        assert last.post("/users/last/role", role="viewer").status_code == 303
        assert role_of(app, "last") == "viewer"


def test_contended_change_answers_busy(firestore: LocalFirestore) -> None:
    proxy = ListenProxy(firestore.address)
    settings = settings_for(proxy.address, FIRESTORE_DATABASE=f"people-{uuid4().hex[:8]}", LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        admin, other = Visitor(app, add_user(app, "admin", "admin")), add_user(app, "other", "operator")
        token = admin.token()
        proxy.commits_left, proxy.refuse_commits = 0, grpc.StatusCode.ABORTED  # another writer always commits first
        answer = admin.post(f"/users/{other}/role", role="viewer", csrf_token=token)
        data = admin.post(f"/users/{other}/role", SCRIPT, role="viewer", csrf_token=token)
    proxy.close()
    sentence = "Another admin is changing users right now; other is unchanged. Try again."
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "<h1>Busy right now</h1>" in answer.text
    assert sentence in answer.text
    assert data.json == {"error": {"status": 503, "title": "Busy right now", "detail": sentence}}


@pytest.mark.parametrize("query", ["notice=role", "notice=role&name=<b>x</b>", "notice=<b>", "notice=removed&name=a/b"])
def test_notice_shows_no_text_from_the_address(admin: Visitor, query: str) -> None:
    assert 'class="good"' not in admin.get(f"/users?{query}").text


def test_ended_session_is_deleted_on_the_server(admin: Visitor, acting_app: Flask, name: str) -> None:
    somebody = Visitor(acting_app, add_user(acting_app, name, "viewer"))
    assert somebody.get("/messages").status_code == 200
    page = admin.get("/sessions").text
    (session,) = [one.id for one in services_of(acting_app).sessions.newest() if one.user == name]
    assert f'class="mono">{session[:8]}<' in page
    assert somebody.cookie not in page
    assert admin.post("/sessions/end", session=session, confirmed="yes").status_code == 303
    assert somebody.get("/messages", SCRIPT).status_code == 401
    assert f"sessions/{session[:8]}" in admin.get("/audit?what=session.end").text
    assert admin.post("/sessions/end", session=session, confirmed="yes").status_code == 404


@pytest.mark.parametrize("session", ["", "x", "0" * 63, "../users/admin", "A" * 64])
def test_malformed_session_id_is_refused(admin: Visitor, session: str) -> None:
    assert admin.post("/sessions/end", session=session, confirmed="yes").status_code == 400


def test_current_session_is_marked(admin: Visitor) -> None:
    assert admin.get("/sessions").text.count("this one") == 1


def test_header_links_only_to_allowed_pages(reading: Visitor, acting: Visitor, admin: Visitor) -> None:
    everything = {"/publish", "/rejections", "/users", "/sessions", "/audit"}
    expected = {reading: set[str](), acting: {"/publish", "/rejections"}, admin: everything}
    for visitor, links in expected.items():
        header = visitor.get("/password").text.split('<header class="top">', 1)[1].split("</header>", 1)[0]
        assert set(re.findall(r'href="(/[a-z]+)"', header)) & everything == links


def test_list_of_a_viewer_has_no_controls(reading: Visitor, acting: Visitor) -> None:
    page = reading.get("/messages").text
    for control in ("/export.", "/republish", "/publish", "delivery</button>"):
        assert control not in page
    assert "/export.csv" in acting.get("/messages").text


def test_pages_have_one_heading_and_labelled_fields(admin: Visitor) -> None:
    for path in ("/users", "/sessions", "/audit", "/rejections", "/publish", "/republish"):
        elements = Skeleton(admin.get(path).text).elements
        assert [element[0] for element in elements].count("h1") == 1, path
