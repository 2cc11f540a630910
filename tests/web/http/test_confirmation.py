"""Actions that cannot be undone wait for a confirmation when no script asks for it."""

from html import unescape

import pytest
from flask import Flask

from infra.query.list_arguments import ListArguments
from tests.support.viewer.topics import Fields, Topics
from tests.support.viewer.visitor import SCRIPT, Visitor, add_user, services_of

HOSTILE = "<script>alert(1)</script>"


def heading(page: str) -> str:
    return unescape(page.split("<h1>")[1].split("</h1>")[0])


def say_yes(visitor: Visitor, path: str, page: str) -> int:
    """Send the form of the page that asks; return the status."""
    fields = dict(Fields(page.split("<main")[1].split("</main>")[0]).found)
    return visitor.post(path, None, **fields).status_code


@pytest.fixture
def acted(acting_app: Flask, admin: Visitor, name: str, topics: Topics) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return for each action its question, its path and the fields of its form."""
    services = services_of(acting_app)
    somebody = Visitor(acting_app, add_user(acting_app, name, "viewer"))
    assert somebody.get("/messages").status_code == 200
    (session,) = [one.id for one in services.sessions.newest() if one.user == name]
    saved = services.saved_filters.save(f"{HOSTILE} {name}", ListArguments("x=1", "", ()), by="tests")
    path = f"/users/{name}"
    return {
        "stop": (f"Stop delivery of {topics.name}?", f"/subscriptions/{topics.name}/stop", {}),
        "delete": (f"Delete the filter {HOSTILE} {name}, for everyone?", f"/filters/{saved.id}/delete", {}),
        "end": (f"End this sign-in of {name}?", "/sessions/end", {"session": session}),
        "password": (f"Give {name} a new password? All their sign-ins end.", f"{path}/password", {}),
        "remove": (f"Remove {name}?", f"{path}/remove", {}),
    }


def test_action_waits_for_confirmation(
    admin: Visitor, acting_app: Flask, name: str, acted: dict[str, tuple[str, str, dict[str, str]]]
) -> None:
    for question, path, fields in acted.values():
        answer = admin.post(path, None, **fields)
        assert (answer.status_code, heading(answer.text)) == (200, question)
        assert HOSTILE not in answer.text
    services = services_of(acting_app)
    assert services.users.get(name)
    assert any(one.user == name for one in services.sessions.newest())
    assert any(name in one.name for one in services.saved_filters.all())
    audit = admin.get(f"/audit?who={admin.name}").text
    for what in ("delivery.stop", "filter.delete", "session.end", "user.password", "user.remove"):
        assert f"{what}</td>" not in audit


def test_confirmed_action_is_done(admin: Visitor, acted: dict[str, tuple[str, str, dict[str, str]]]) -> None:
    statuses = {
        deed: say_yes(admin, path, admin.post(path, None, **fields).text) for deed, (_, path, fields) in acted.items()
    }
    assert statuses == {"stop": 303, "delete": 303, "end": 303, "password": 200, "remove": 303}


def test_script_needs_no_confirmation(acting: Visitor, topics: Topics) -> None:
    answer = acting.post(f"/subscriptions/{topics.name}/stop", SCRIPT)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["state"] == "stopped"


def test_confirmation_needs_the_form_token(acting: Visitor, topics: Topics) -> None:
    answer = acting.post(f"/subscriptions/{topics.name}/stop", csrf_token="wrong", confirmed="yes")
    assert answer.status_code == 400
