"""AUTH_MODE=iap: only a valid signed assertion identifies a user, and only added users may enter."""

import json
import math
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask
from google.auth import crypt, jwt

from infra.errors import KeysUnavailableError
from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.visitor import PAGE, SCRIPT, Visitor, add_user, services_of
from web.access.iap import HEADER, IapVerifier, Keys
from web.access.roles import session_still_valid

AUDIENCE = "/projects/1/global/backendServices/2"
EMAIL = "user@example.com"


def valid_claims() -> dict[str, object]:
    now = int(time.time())
    return {"iss": "https://cloud.google.com/iap", "aud": AUDIENCE, "email": EMAIL, "iat": now, "exp": now + 600}


class Signer:
    """A key pair like those of Google."""

    def __init__(self, key_id: str = "k1") -> None:
        self.key_id = key_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.fetched = 0

    def keys(self) -> Keys:
        self.fetched += 1
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {self.key_id: public.decode()}

    def assertion(self, **changes: object) -> str:
        claims = {name: value for name, value in {**valid_claims(), **changes}.items() if value is not None}
        encode: Callable[..., bytes] = jwt.encode  # google.auth has no types
        return encode(self._signer(), claims).decode()

    def signed(self, header: bytes, payload: bytes) -> str:
        """Sign any two texts."""
        text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload))
        return (text + b"." + urlsafe_b64encode(self._signer().sign(text)).rstrip(b"=")).decode()

    def _signer(self) -> Any:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        from_string: Callable[..., Any] = crypt.ES256Signer.from_string
        return from_string(pem, self.key_id)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore, signer: Signer) -> Iterator[Flask]:
    settings = settings_for(firestore.address, AUTH_MODE="iap", IAP_AUDIENCE=AUDIENCE, LOG_LEVEL="CRITICAL")
    with running(settings, IapVerifier(AUDIENCE, signer.keys)) as running_app:
        add_user(running_app, EMAIL, "viewer")
        yield running_app


def status(app: Flask, assertion: str, **headers: str) -> int:
    return Visitor(app).get("/session", {**SCRIPT, HEADER: assertion, **headers}).status_code


def test_valid_assertion_signs_its_user_in(app: Flask, signer: Signer) -> None:
    answer = Visitor(app).get("/session", {**SCRIPT, HEADER: signer.assertion(email="User@Example.com")})
    assert answer.json == {"user": EMAIL, "role": "viewer"}


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "/projects/1/global/backendServices/3"},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"email": None},
        {"email": ""},
        {"email": 7},
        {"exp": 1},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"exp": int(time.time()) + 3 * 365 * 86_400},
        {"exp": math.nan},
        {"exp": math.inf},
        {"exp": -math.inf},
        {"iat": math.nan},
        {"iat": True, "exp": True},
        {"iat": None},
        {"email": "\ud800@example.com"},
    ],
)
def test_wrong_claim_is_refused(app: Flask, signer: Signer, changes: dict[str, object]) -> None:
    assert status(app, signer.assertion(**changes)) == 401


def test_assertion_lives_ten_minutes_and_twice_the_skew(app: Flask, signer: Signer) -> None:
    now = int(time.time())
    assert [status(app, signer.assertion(iat=now, exp=now + seconds)) for seconds in (660, 661)] == [200, 401]


@pytest.mark.parametrize("header", [{"crit": ["x"]}, {"b64": False}, {"alg": "RS256"}, {"kid": ["k1"]}])
def test_wrong_header_is_refused(app: Flask, signer: Signer, header: dict[str, object]) -> None:
    named = {"alg": "ES256", "kid": signer.key_id} | header
    assert status(app, signer.signed(json.dumps(named).encode(), json.dumps(valid_claims()).encode())) == 401


def test_repeated_claim_is_refused(app: Flask, signer: Signer) -> None:
    twice = json.dumps({"email": "second@example.com"})[:-1] + "," + json.dumps(valid_claims())[1:]
    assert status(app, signer.signed(b'{"alg": "ES256", "kid": "k1"}', twice.encode())) == 401


@pytest.mark.parametrize("depth", [200, 900, 950, 970, 980, 985, 990, 995, 1000, 1500])
def test_deep_json_is_refused_and_not_an_error(app: Flask, signer: Signer, depth: int) -> None:
    deep = b'{"alg": "ES256", "kid": "k1", "x": %s}' % (b"[" * depth + b"]" * depth)
    assert status(app, signer.signed(deep, b"{}")) == 401
    assert status(app, signer.signed(b'{"alg": "ES256", "kid": "k1"}', deep)) == 401


@pytest.mark.parametrize(("seconds", "expected"), [(-40, 401), (-20, 200), (3, 200), (25, 200), (45, 401)])
def test_clock_skew_of_30_seconds_is_allowed(app: Flask, signer: Signer, seconds: int, expected: int) -> None:
    issued = int(time.time()) + seconds
    lifetime = 600 if seconds > 0 else 0
    assert status(app, signer.assertion(iat=issued, exp=issued + lifetime)) == expected


def test_stream_ends_when_the_role_of_its_user_changes(app: Flask, signer: Signer) -> None:
    email = add_user(app, "operator@example.com", "operator")
    with app.test_request_context("/live", headers={HEADER: signer.assertion(email=email)}):
        assert app.preprocess_request() is None
        is_valid = session_still_valid()
    assert is_valid()
    services_of(app).users.set_role(email, "viewer", by="tests")
    assert not is_valid(), "otherwise the stream would send unmasked messages to a viewer"


def test_forged_assertion_is_refused(app: Flask, signer: Signer) -> None:
    header, claims, signature = signer.assertion().split(".")
    none = urlsafe_b64encode(json.dumps({"alg": "none", "kid": "k1"}).encode()).decode().rstrip("=")
    forged = [Signer().assertion(), Signer("k2").assertion(), f"{header}.{claims}.", f"{none}.{claims}.{signature}"]
    for assertion in [*forged, "", "x", "a.b.c", "é", "." * 3]:
        assert status(app, assertion) == 401, assertion


def test_unsigned_iap_header_is_ignored(app: Flask) -> None:
    answer = Visitor(app).get("/session", {**SCRIPT, "X-Goog-Authenticated-User-Email": f"accounts.google.com:{EMAIL}"})
    assert answer.status_code == 401


def test_user_of_iap_without_an_account_gets_403(app: Flask, signer: Signer) -> None:
    answer = Visitor(app).get("/messages", {**PAGE, HEADER: signer.assertion(email="unknown@example.com")})
    assert answer.status_code == 403
    assert "unknown@example.com is not a user here." in answer.text


def test_iap_mode_has_no_password_routes(app: Flask, signer: Signer) -> None:
    signed = {**PAGE, HEADER: signer.assertion()}
    assert Visitor(app).get("/login", signed).headers["Location"] == "/messages"
    assert Visitor(app).get("/password", signed).status_code == 404
    page = Visitor(app).get("/messages", signed).text
    assert "Sign out" in page
    assert "Change password" not in page


def test_iap_mode_checks_form_tokens(app: Flask, signer: Signer) -> None:
    visitor, signed = Visitor(app), {**PAGE, HEADER: signer.assertion()}
    assert visitor.post("/logout", signed, csrf_token="x").status_code == 400
    page = visitor.get("/messages", signed).text
    token = page.partition('data-csrf="')[2].partition('"')[0]
    answer = visitor.post("/logout", signed, csrf_token=token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/_gcp_iap/clear_login_cookie")


def test_unknown_key_is_fetched_at_most_once_a_minute() -> None:
    signer = Signer()
    verifier = IapVerifier(AUDIENCE, signer.keys)
    assert verifier.email(signer.assertion()) == EMAIL
    for number in range(5):
        with pytest.raises(Exception, match="refused"):
            verifier.email(Signer(f"unknown-{number}").assertion())
    assert signer.fetched == 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class KeyServer:
    """Google's key server: while it is up, it answers after a delay."""

    def __init__(self, signer: Signer, seconds: float = 0) -> None:
        self.signer, self.seconds = signer, seconds
        self.up, self.asked = False, 0

    def keys(self) -> Keys:
        self.asked += 1
        time.sleep(self.seconds)
        if not self.up:
            raise KeysUnavailableError("The key server is away.")
        return self.signer.keys()


def test_missing_keys_answer_503_and_not_401(firestore: LocalFirestore, signer: Signer) -> None:
    settings = settings_for(firestore.address, AUTH_MODE="iap", IAP_AUDIENCE=AUDIENCE, LOG_LEVEL="CRITICAL")
    with running(settings, IapVerifier(AUDIENCE, KeyServer(signer).keys)) as app:
        answer = Visitor(app).get("/messages", {**PAGE, HEADER: signer.assertion()})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Identity-Aware Proxy cannot be fetched" in answer.text
    assert "database" not in answer.text


def test_failed_key_fetch_is_retried_after_a_delay(signer: Signer) -> None:
    server, clock = KeyServer(signer), Clock()
    verifier = IapVerifier(AUDIENCE, server.keys, clock)
    for at, asked in ((0, 1), (9, 1), (10, 2), (19, 2)):
        clock.now = at
        with pytest.raises(KeysUnavailableError, match="away"):
            verifier.email(signer.assertion())
        assert server.asked == asked
    server.up, clock.now = True, 20
    assert verifier.email(signer.assertion()) == EMAIL


def test_requests_wait_for_at_most_one_failing_fetch(signer: Signer) -> None:
    server = KeyServer(signer, seconds=0.5)
    verifier = IapVerifier(AUDIENCE, server.keys)

    def ask(_: int) -> bool:
        with pytest.raises(KeysUnavailableError):
            verifier.email(signer.assertion())
        return True

    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(6)))
    assert server.asked == 1
    assert time.monotonic() - began < 2


def test_old_keys_are_used_while_the_key_server_is_down(signer: Signer) -> None:
    server, clock = KeyServer(signer), Clock()
    server.up = True
    verifier = IapVerifier(AUDIENCE, server.keys, clock)
    assert verifier.email(signer.assertion()) == EMAIL
    server.up, clock.now = False, 3601
    assert verifier.email(signer.assertion()) == EMAIL
    assert server.asked == 2
    with pytest.raises(KeysUnavailableError):  # the key may be new: it cannot be called wrong
        verifier.email(Signer("k2").assertion())


def test_admin_adds_user_without_a_password_in_iap_mode(app: Flask, signer: Signer) -> None:
    add_user(app, "admin@example.com", "admin")
    headers = {**PAGE, HEADER: signer.assertion(email="admin@example.com")}
    admin = Visitor(app)
    page = admin.get("/users", headers).text
    assert 'type="password"' not in page
    assert "New password" not in page
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    answer = admin.post(
        "/users", headers, csrf_token=found.group(1), name="Second@Example.com", role="operator", password="x"
    )
    assert "second@example.com is added." in answer.text
    assert "The password is" not in answer.text
    assert status(app, signer.assertion(email="second@example.com")) == 200
    answer = admin.post("/users/second@example.com/password", headers, csrf_token=found.group(1))
    assert answer.status_code == 404
    assert "Identity-Aware Proxy signs people in here" in admin.get("/sessions", headers).text
