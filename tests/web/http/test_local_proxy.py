"""A viewer behind ``gcloud run services proxy`` accepts forms from the local address and refuses others."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PAGE, PASSWORD, Visitor, add_user

OWN = "https://subscope-viewer-1.europe-west1.run.app"
ADDRESSES = ("http://localhost:8080", "http://127.0.0.1:8080")


@pytest.fixture(scope="module")
def private(firestore: LocalFirestore) -> Iterator[Flask]:
    settings = settings_for(firestore.address, LOCAL_ADDRESSES=",".join(ADDRESSES), LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        yield app


def browser(address: str, site: str = "same-origin") -> dict[str, str]:
    """Return the headers that a browser sends with a form of ``address``, and that the proxy does not change."""
    return {**PAGE, "Origin": address, "Referer": f"{address}/login", "Sec-Fetch-Site": site}


@pytest.mark.parametrize("address", ADDRESSES)
def test_user_signs_in_through_the_local_proxy(private: Flask, name: str, address: str) -> None:
    add_user(private, name, "viewer")
    visitor = Visitor(private, base_url=OWN)
    answer = visitor.post("/login", browser(address), username=name, password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/messages")
    # Without Secure, so that all browsers keep it for a page of plain http.
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert re.fullmatch(r"subscope=[^;]+; HttpOnly; Path=/; SameSite=Lax", cookie), cookie
    assert visitor.get("/messages").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        browser("https://evil.example"),
        browser("http://localhost:3000", "same-site"),
        browser("http://localhost:8080", "cross-site"),
        browser("http://localhost:8080.evil.example"),
        # No page comes from this address: without a token of Google's, no browser reaches it.
        browser(OWN),
    ],
    ids=["elsewhere", "another port", "another site's request", "a longer name", "its own address"],
)
def test_other_origins_are_refused_behind_the_proxy(private: Flask, name: str, headers: dict[str, str]) -> None:
    add_user(private, name, "viewer")
    answer = Visitor(private, base_url=OWN).post("/login", headers, username=name, password=PASSWORD)
    assert answer.status_code == 403


def test_local_origin_is_refused_without_the_setting(app: Flask, name: str) -> None:
    add_user(app, name, "viewer")
    visitor = Visitor(app, base_url=OWN)
    for address, status in ((ADDRESSES[0], 403), (OWN, 303)):
        assert visitor.post("/login", browser(address), username=name, password=PASSWORD).status_code == status
