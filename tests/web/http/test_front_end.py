"""The client's address and the host of a request that came through proxies."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PAGE, PASSWORD, Visitor, add_user
from web.http.front_end import FrontEnd

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT, BALANCER, FORGED = "203.0.113.7", "198.51.100.200", "192.0.2.1"
# The address of the connection: Google's front end, which is the same for every client.
NEXT_HOP = "169.254.1.1"
DOMAIN, OTHER_DOMAIN = "https://subscope.example.com", "https://monitor.example.com:8443"


def client_of(trusted: int, forwarded_for: str | None, proto: str | None = "https") -> tuple[str, str]:
    """Return the client's address and the scheme behind ``trusted`` proxies."""
    seen: list[tuple[str, str]] = []

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        seen.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    sent = {"X-Forwarded-For": forwarded_for, "X-Forwarded-Proto": proto}
    headers = [(name, value) for name, value in sent.items() if value is not None]
    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": NEXT_HOP}).get_environ()
    FrontEnd(application, trusted)(environ, lambda *_: lambda _: None)
    return seen[0]


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "client"),
    [
        (1, CLIENT, CLIENT),
        (1, f"{FORGED}, {CLIENT}", CLIENT),
        (1, f"{FORGED},{FORGED},{CLIENT}", CLIENT),
        (1, f'"{FORGED}, {CLIENT}', CLIENT),
        (1, f'"a\\, {CLIENT}', CLIENT),
        (1, f",,{CLIENT}", CLIENT),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, None, NEXT_HOP),
        (1, "", NEXT_HOP),
        # With one trusted proxy, the clients of a load balancer share its address.
        (1, f"{CLIENT}, {BALANCER}", BALANCER),
        (2, f"{CLIENT}, {BALANCER}", CLIENT),
        (2, f"{FORGED}, {CLIENT}, {BALANCER}", CLIENT),
        (2, f"{FORGED}, {FORGED}, {CLIENT},{BALANCER}", CLIENT),
        (2, f'"{FORGED}, {CLIENT}, {BALANCER}', CLIENT),
        (2, f'{FORGED}", {CLIENT}, {BALANCER}', CLIENT),
        # It did not come through both proxies, so no entry is trusted.
        (2, CLIENT, NEXT_HOP),
        (2, None, NEXT_HOP),
        (3, f"{FORGED}, {CLIENT}, 198.51.100.1, {BALANCER}", CLIENT),
    ],
)
def test_address_is_the_one_that_the_first_trusted_proxy_saw(
    trusted: int, forwarded_for: str | None, client: str
) -> None:
    assert client_of(trusted, forwarded_for) == (client, "https")


@pytest.mark.parametrize("trusted", [1, 2])
@pytest.mark.parametrize(("proto", "scheme"), [("https", "https"), ("http", "http"), ("https, http", "http")])
def test_scheme_is_that_of_the_last_proxy(trusted: int, proto: str, scheme: str) -> None:
    assert client_of(trusted, f"{CLIENT}, {BALANCER}", proto)[1] == scheme


@pytest.fixture(scope="module")
def domain(firestore: LocalFirestore) -> Iterator[Flask]:
    addresses = f"{DOMAIN}, {OTHER_DOMAIN.upper()}"
    with running(settings_for(firestore.address, PUBLIC_ADDRESSES=addresses, LOG_LEVEL="CRITICAL")) as app:
        yield app


def browser(origin: str) -> dict[str, str]:
    return {**PAGE, "Origin": origin, "Referer": f"{origin}/login", "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("address", [DOMAIN, OTHER_DOMAIN])
def test_user_signs_in_at_the_domain(domain: Flask, name: str, address: str) -> None:
    add_user(domain, name, "viewer")
    visitor = Visitor(domain, base_url=address)
    answer = visitor.post("/login", browser(address), username=name, password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/messages")
    assert answer.headers["Set-Cookie"].startswith("__Host-subscope=")
    assert visitor.get("/messages").status_code == 200


@pytest.mark.parametrize(
    "host", ["subscope-viewer-1.europe-west1.run.app", "198.51.100.200", "subscope.example.com.evil.example", "x:8443"]
)
def test_other_hosts_are_refused_with_the_address_of_this_viewer(domain: Flask, host: str) -> None:
    stranger = Visitor(domain, base_url=f"https://{host}")
    page = stranger.get("/login")
    assert page.status_code == 421
    assert f"This viewer is opened at {DOMAIN}" in page.text
    assert "Set-Cookie" not in page.headers
    assert stranger.client.post("/login", base_url=f"https://{host}", headers=PAGE).status_code == 421
    (style, *_) = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    for path in ("/healthz", "/ready", style):
        with stranger.get(path) as answer:
            assert answer.status_code == 200, path


@pytest.mark.parametrize("origin", ["https://evil.example", "https://subscope-viewer-1.europe-west1.run.app", "null"])
def test_form_of_another_origin_is_refused_at_the_domain(domain: Flask, name: str, origin: str) -> None:
    add_user(domain, name, "viewer")
    headers = {**PAGE, "Origin": origin, "Referer": f"{DOMAIN}/login"}
    assert Visitor(domain, base_url=DOMAIN).post("/login", headers, username=name, password=PASSWORD).status_code == 403
