"""The first administrator exists at the first sign-in; its random password is logged once; few requests wait for it."""

import re
import socket
import threading

import pytest
from flask import Flask

from infra.errors import BusyError, SettingsError, StoreError
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PASSWORD, Visitor, services_of
from tests.support.waiting import wait_until


def sign_in(app: Flask, password: str) -> int:
    return Visitor(app).post("/login", username="admin", password=password).status_code


def test_first_admin_exists_at_the_first_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    local = LocalFirestore()
    with running(settings_for(local.address, ADMIN_PASSWORD=PASSWORD)) as app:
        assert sign_in(app, PASSWORD) == 303
    assert PASSWORD not in capsys.readouterr().out
    local.close()


def test_random_password_of_first_admin_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    local = LocalFirestore()
    with running(settings_for(local.address)) as app:
        assert sign_in(app, "x") == 401
        found = re.findall(r"user admin, password (\S+) ", capsys.readouterr().out)
        assert len(found) == 1
        assert sign_in(app, found[0]) == 303
    local.close()


def test_easy_admin_password_stops_the_start_and_is_not_shown() -> None:
    with (
        pytest.raises(SettingsError, match="ADMIN_PASSWORD is easy to guess") as refused,
        running(settings_for("127.0.0.1:9", ADMIN_PASSWORD="password1234")),
    ):
        pass
    assert "password1234" not in str(refused.value)


def test_few_requests_wait_for_the_first_admin_while_firestore_is_silent() -> None:
    refused: list[type[Exception]] = []
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings = settings_for(f"127.0.0.1:{deaf.getsockname()[1]}", LOG_LEVEL="CRITICAL")
        with running(settings) as app:
            first_admin = services_of(app).first_admin

            def ensure() -> None:
                try:
                    first_admin.ensure()
                except (BusyError, StoreError) as exc:
                    refused.append(type(exc))

            threads = [threading.Thread(target=ensure) for _ in range(10)]
            for thread in threads:
                thread.start()
            wait_until(lambda: len(refused) >= 6, "the refusal of six calls", 3)
            assert set(refused) == {BusyError}
            deaf.close()  # from now on it refuses, which takes no time
            for thread in threads:
                thread.join(10)
            assert len(refused) == 10
