"""A form is accepted only with the token of its session, and from our pages."""

import pytest
from flask import Flask

from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor


def test_missing_or_wrong_token_is_refused(viewer: Visitor) -> None:
    for token in ("", "wrong"):
        answer = viewer.post("/password", SCRIPT, csrf_token=token)
        assert (answer.status_code, answer.json and answer.json["error"]["title"]) == (400, "That did not work")


def test_error_names_the_token_source_to_scripts(operator: Visitor) -> None:
    path = "/api/v1/subscriptions/builds/stop"
    for headers in (SCRIPT, {"Accept": "*/*"}, PAGE):
        answer = operator.client.post(path, headers=headers)
        assert answer.json is not None
        assert answer.json["error"]["detail"] == (
            "The CSRF token is missing. Send the csrf_token of GET /api/v1/session as the header X-CSRFToken, "
            "with the same cookie, and over https a Referer of this host."
        )
    told = operator.get("/api/v1/session", SCRIPT).json
    assert told is not None
    answer = operator.client.post(path, headers={**SCRIPT, "X-CSRFToken": told["csrf_token"]})
    assert answer.status_code == 503, "the token is accepted; Pub/Sub is down"


def test_error_names_the_sign_in_page_to_scripts_that_sign_in(stranger: Visitor) -> None:
    answer = stranger.client.post("/login", headers=SCRIPT)
    assert answer.json is not None
    assert "Send the csrf_token of the page /login as" in answer.json["error"]["detail"]


@pytest.mark.parametrize("headers", [PAGE, {**SCRIPT, "Sec-Fetch-Site": "same-origin"}])
def test_stale_form_asks_to_reload_the_page(operator: Visitor, headers: dict[str, str]) -> None:
    answer = operator.post("/subscriptions/builds/stop", headers, csrf_token="of an earlier sign-in")
    assert answer.status_code == 400
    assert "This form is from an earlier sign-in. Go back, reload the page and try again." in answer.text


def test_token_of_another_session_is_refused(app: Flask, viewer: Visitor, operator: Visitor) -> None:
    assert viewer.post("/logout", SCRIPT, csrf_token=operator.token()).status_code == 400
    assert viewer.post("/logout", SCRIPT, csrf_token=Visitor(app).token()).status_code == 400
    assert viewer.get("/session").status_code == 200


def test_sign_in_needs_a_token(stranger: Visitor) -> None:
    assert stranger.post("/login", username="a", password="b", csrf_token="").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_request_from_another_site_is_refused(viewer: Visitor, headers: dict[str, str]) -> None:
    assert viewer.post("/logout", {**PAGE, **headers}).status_code == 403
    assert viewer.get("/session").status_code == 200


def test_body_without_a_form_is_refused(viewer: Visitor) -> None:
    answer = viewer.client.post("/logout", data="csrf_token=1", content_type="text/plain", headers=SCRIPT)
    assert answer.status_code == 400
