"""Headers that cannot be parsed are refused or ignored: none of them is an error of the viewer."""

import pytest
from flask import Flask

from tests.support.viewer.visitor import PAGE, Visitor

UNREADABLE = [
    "http://[",
    "http://[::1",
    "https://[zz]",
    "http://[v1.x]:1",
    "http://localhost:99999999",
    "http://localhost:-1",
    "http://localhost:²",
    "http://localhost:" + "9" * 5000,
    "//",
    "http://\u2100",
    "//user@[:80",
    "a" * 64,  # longer than a label of a host
    "9" * 5000,
    "²",
    "\x7f",
    "bytes=9-1,[",
    "q=nan, *;q=[",
    "=;=,;",
    "\xff\xfe",
]
NAMES = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Last-Event-ID",
    "Origin",
    "Range",
    "Referer",
    "Sec-Fetch-Site",
    "Traceparent",
    "X-CSRFToken",
    "X-Cloud-Trace-Context",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
]


@pytest.mark.parametrize("header", NAMES)
def test_unreadable_header_is_never_an_error_of_the_viewer(app: Flask, header: str) -> None:
    for scheme in ("http", "https"):
        stranger = Visitor(app, base_url=f"{scheme}://localhost")
        for value in UNREADABLE:
            headers = {**PAGE, header: value.encode().decode("latin-1")}
            for method, path in (("POST", "/login"), ("GET", "/messages")):
                answer = stranger.client.open(path, method=method, headers=headers, base_url=stranger.base_url)
                assert answer.status_code < 500, (scheme, method, value)


@pytest.mark.parametrize("header", ["Host", "Origin", "Referer"])
def test_form_with_its_token_and_an_unreadable_address_is_refused(app: Flask, header: str) -> None:
    visitor = Visitor(app, base_url="https://localhost")
    token = visitor.token()
    usual = {**PAGE, "Referer": "https://localhost/"}
    statuses = []
    for value in UNREADABLE:
        headers = {**usual, header: value.encode().decode("latin-1")}
        answer = visitor.client.post(
            "/login", data={"csrf_token": token, "username": "x"}, headers=headers, base_url=visitor.base_url
        )
        statuses.append(answer.status_code)
    assert set(statuses) <= {400, 403}, list(zip(UNREADABLE, statuses, strict=True))
