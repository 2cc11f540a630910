"""A lock on the sign-in page shows its end, and one address does not lock users at another."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PASSWORD, Visitor, add_user

THEIRS, OURS = "198.51.100.1", "203.0.113.7"
# Behind TRUSTED_PROXIES proxies, what they append: Google's front end the client, a load balancer also its own address.
APPENDED = {1: "", 2: ", 203.0.113.200"}


@pytest.fixture(params=APPENDED, ids="{0} trusted".format)
def trusted(request: pytest.FixtureRequest) -> int:
    proxies: int = request.param
    return proxies


@pytest.fixture
def behind(firestore: LocalFirestore, monkeypatch: pytest.MonkeyPatch, trusted: int) -> Iterator[Flask]:
    """Make a viewer behind one or two proxies."""
    monkeypatch.setenv("K_SERVICE", "viewer")
    with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL", TRUSTED_PROXIES=str(trusted))) as app:
        yield app


def sign_in(app: Flask, name: str, password: str, forwarded_for: str) -> int:
    visitor = Visitor(app)
    fields = {"csrf_token": visitor.token(), "username": name, "password": password}
    return visitor.client.post("/login", data=fields, headers={"X-Forwarded-For": forwarded_for}).status_code


def test_too_many_attempts_lock_the_name_at_this_address(app: Flask, stranger: Visitor, name: str) -> None:
    add_user(app, name, "viewer")
    answers = [stranger.post("/login", username=name, password="wrong") for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert "Too many attempts. Try again after" in answers[-1].text
    assert 50 < int(answers[-1].headers["Retry-After"]) <= 60


def test_forged_forwarded_for_does_not_change_the_locked_address(behind: Flask, name: str, trusted: int) -> None:
    add_user(behind, name, "viewer")
    # An unfinished quoted string would hide what the proxies append.
    forged = ["192.0.2.1, ", "192.0.2.2, 192.0.2.3, ", '"192.0.2.4, ', f"{OURS}, ", f"{OURS}, {OURS}, ", ""]
    statuses = [sign_in(behind, name, "wrong", f"{left}{THEIRS}{APPENDED[trusted]}") for left in forged]
    assert statuses == [401] * 5 + [429]
    assert sign_in(behind, name, PASSWORD, f"{THEIRS}, {OURS}{APPENDED[trusted]}") == 303
    assert sign_in(behind, name, PASSWORD, f"{THEIRS}{APPENDED[trusted]}") == 429
