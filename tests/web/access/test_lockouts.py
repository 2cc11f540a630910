"""A lock on the sign-in page shows its end, and one address does not lock users at another."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PASSWORD, Visitor, add_user

THEIRS, OURS = "198.51.100.1", "203.0.113.7"


@pytest.fixture
def behind(firestore: LocalFirestore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Make a viewer behind Google's front end, which appends the address that it saw to X-Forwarded-For."""
    monkeypatch.setenv("K_SERVICE", "viewer")
    with running(settings_for(firestore.address, LOG_LEVEL="CRITICAL")) as app:
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


def test_forged_forwarded_for_does_not_change_the_locked_address(behind: Flask, name: str) -> None:
    add_user(behind, name, "viewer")
    statuses = [sign_in(behind, name, "wrong", f"192.0.2.{number}, {THEIRS}") for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert sign_in(behind, name, PASSWORD, f"{THEIRS}, {OURS}") == 303
    assert sign_in(behind, name, PASSWORD, THEIRS) == 429
