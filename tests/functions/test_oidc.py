"""Every header and claim of a token, one wrong at a time, signed by a key the verifier trusts."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from functions.tokens.google_keys import MIN_AGE_SECONDS
from functions.tokens.oidc import MAX_VERIFIED
from infra.local.token_signer import Signer, SigningKey, push_claims
from tests.support.receiver.push import ACCOUNT, AUDIENCE
from tests.support.receiver.stage import CLAIMS, NOW, Stage, with_claims, with_header


@pytest.fixture
def stage(signer: Signer) -> Stage:
    return Stage(signer)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(signer: Signer, header: bytes, payload: bytes) -> str:
    """A bearer token of exactly these bytes, signed."""
    signed = f"{b64(header)}.{b64(payload)}"
    signature = signer.key.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"Bearer {signed}.{b64(signature)}"


def test_good_token_is_admitted(stage: Stage, signer: Signer) -> None:
    assert stage.judge(with_claims(signer)) == 204


@pytest.mark.parametrize("audience", ["https://a.example", "https://b.example"])
def test_each_configured_audience_is_ours(signer: Signer, audience: str) -> None:
    stage = Stage(signer, ("https://a.example", "https://b.example"))
    assert stage.judge(with_claims(signer, aud=audience)) == 204


@pytest.mark.parametrize(("status", "changed"), CLAIMS, ids=str)
def test_each_claim_counts(stage: Stage, signer: Signer, status: int, changed: dict[str, object]) -> None:
    assert stage.judge(with_claims(signer, **changed)) == status


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        (204, {"typ": ...}),
        (204, {"typ": "at+jwt"}),
        (204, {"jku": "https://evil.example/keys", "x5u": "https://evil.example/", "jwk": {"kty": "RSA"}}),
        (401, {"alg": "none"}),
        (401, {"alg": "HS256"}),
        (401, {"alg": "ES256"}),
        (401, {"alg": "RS512"}),
        (401, {"alg": "rs256"}),
        (401, {"alg": ["RS256"]}),
        (401, {"alg": None}),
        (401, {"crit": ["b64"], "b64": True}),
        (401, {"crit": []}),
        (401, {"b64": False}),
        (401, {"kid": None}),
        (401, {"kid": ""}),
        (401, {"kid": ["k"]}),
        (401, {"kid": {"k": "k"}}),
        (401, {"kid": 1}),
        (401, {"kid": "../../etc/passwd"}),
        (401, {"kid": "unknown"}),
        (401, {"kid": "k" * 8192}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_each_header_counts(stage: Stage, signer: Signer, status: int, changed: dict[str, object]) -> None:
    assert stage.judge(with_header(signer, **{k: None if v is ... else v for k, v in changed.items()})) == status


def test_missing_kid_is_not_tried_with_every_key(stage: Stage, signer: Signer) -> None:
    payload = json.dumps(push_claims(ACCOUNT, AUDIENCE, NOW)).encode()
    assert stage.judge(raw(signer, b'{"alg":"RS256"}', payload)) == 401


def _unsigned(signer: Signer, alg: str, sign: Callable[[bytes], bytes]) -> str:
    header = b64(json.dumps({"alg": alg, "kid": signer.key.id}).encode())
    payload = b64(json.dumps(push_claims(ACCOUNT, AUDIENCE, NOW)).encode())
    return f"Bearer {header}.{payload}.{b64(sign(f'{header}.{payload}'.encode()))}"


def test_forged_signature_is_refused(stage: Stage, signer: Signer) -> None:
    public = signer.key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    curve = ec.generate_private_key(ec.SECP256R1())
    forged = [
        _unsigned(signer, "none", lambda _: b""),
        _unsigned(signer, "HS256", lambda signed: hmac.digest(public, signed, hashlib.sha256)),
        _unsigned(signer, "HS256", lambda s: hmac.digest(signer.key.certificate.encode(), s, hashlib.sha256)),
        _unsigned(signer, "ES256", lambda signed: curve.sign(signed, ec.ECDSA(hashes.SHA256()))),
        _unsigned(signer, "RS256", lambda signed: curve.sign(signed, ec.ECDSA(hashes.SHA256()))),
        _unsigned(signer, "RS256", lambda _: b"\0" * 256),
        _unsigned(signer, "RS256", lambda s: signer.key.private.sign(s, padding.PKCS1v15(), hashes.SHA512())),
        _unsigned(
            signer,
            "RS256",
            lambda s: signer.key.private.sign(s, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
        ),
        "Bearer "
        + SigningKey(signer.key.id, SigningKey.generate().private, "").sign(push_claims(ACCOUNT, AUDIENCE, NOW)),
    ]
    assert [stage.judge(token) for token in forged] == [401] * len(forged)


def test_payload_of_another_token_does_not_fit_the_signature(stage: Stage, signer: Signer) -> None:
    header, _, signature = with_claims(signer).split(".")
    other = with_claims(signer, sub="other").split(".")[1]
    assert stage.judge(f"{header}.{other}.{signature}") == 401


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"https://accounts.google.com","aud":"https://other.example","aud":"%s"}' % AUDIENCE.encode(),
        b"\xef\xbb\xbf{}",
        '{"iss": "https://accounts.google.com"}'.encode("utf-16"),
        b"[]",
        b"null",
        b'{"exp": NaN}',
        b'{"exp": 1e400, "iat": 1e400, "iss": "accounts.google.com"}',
        b'{"exp": ' + b"9" * 3000 + b"}",
        b"[" * 1500,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b"\xff\xfe",
        b"",
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_signed_payload_that_is_no_plain_json_is_refused(stage: Stage, signer: Signer, payload: bytes) -> None:
    header = json.dumps({"alg": "RS256", "kid": signer.key.id}).encode()
    assert stage.judge(raw(signer, header, payload)) == 401


def test_duplicate_claims_are_refused_even_if_the_last_is_valid(stage: Stage, signer: Signer) -> None:
    payload = json.dumps(push_claims(ACCOUNT, AUDIENCE, NOW)).replace('"aud"', '"aud": "https://other.example", "aud"')
    header = json.dumps({"alg": "RS256", "kid": signer.key.id})
    assert stage.judge(raw(signer, header.encode(), payload.encode())) == 401
    twice = header.replace('"alg"', '"alg": "none", "alg"')
    good = json.dumps(push_claims(ACCOUNT, AUDIENCE, NOW)).encode()
    assert stage.judge(raw(signer, twice.encode(), good)) == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token.removeprefix("Bearer "),
        lambda token: token.replace("Bearer", "Basic"),
        lambda token: token.replace("Bearer ", "Bearer  "),
        lambda token: token + " ",
        lambda token: token + "=",
        lambda token: token + "A",
        lambda token: token + ".x",
        lambda token: token + "\n",
        lambda token: token[:-1],
        lambda token: token[:-1] + chr(ord(token[-1]) + 1),  # the same bytes, with other bits after the last byte
        lambda token: token[:60] + " " + token[60:],
        lambda token: token.replace(".", "..", 1),
        lambda token: token.replace(".", ",", 1),
        lambda token: token + ", " + token,
        lambda token: "Bearer " + "a" * 5000,
        lambda token: "Bearer " + token[7:] + "é",
        lambda token: "Bearer",
        lambda token: "",
        lambda token: "Bearer ..",
        lambda token: "Bearer null",
    ],
)
def test_header_that_is_not_one_bearer_token_is_refused(
    stage: Stage, signer: Signer, change: Callable[[str], str]
) -> None:
    assert stage.judge(change(with_claims(signer))) == 401


def test_no_header_and_two_headers_are_refused(stage: Stage, signer: Signer) -> None:
    assert stage.judge() == 401
    assert stage.judge(with_claims(signer), with_claims(signer)) == 401


@pytest.mark.parametrize(
    ("offset", "status"), [(-61, 401), (-60, 204), (0, 204), (3600, 204), (3660, 204), (3661, 401)]
)
def test_clock_may_be_a_minute_wrong(signer: Signer, offset: int, status: int) -> None:
    stage = Stage(signer)
    stage.now = NOW + offset
    token = with_claims(signer)
    assert stage.judge(token) == status
    if status == 401:
        assert stage.reason(token) == "clock"


def test_cached_token_is_not_verified_again_and_still_expires(signer: Signer) -> None:
    stage, token = Stage(signer), with_claims(signer)
    assert stage.judge(token) == 204
    stage.now += 3660
    assert stage.judge(token) == 204
    assert stage.fetches == 1, "a remembered token needs no key"
    stage.now += 1
    assert stage.reason(token) == "clock"


def test_token_cache_is_bounded(signer: Signer) -> None:
    stage = Stage(signer)

    async def story() -> None:
        for number in range(MAX_VERIFIED + 50):
            await stage.tokens.verify([with_claims(signer, sub=str(number))])

    # Signing takes most of the time; MAX_VERIFIED + 1 tokens would prove the bound.
    asyncio.run(story())
    assert len(stage.tokens._verified) == MAX_VERIFIED


def test_oldest_cached_token_is_evicted_first(signer: Signer) -> None:
    stage = Stage(signer)
    tokens = [with_claims(signer, sub=str(number)) for number in range(MAX_VERIFIED + 1)]
    assert {stage.judge(token) for token in tokens} == {204}
    stage.signer = Signer()  # a token that is not cached is now verified against the wrong key
    stage.now += MIN_AGE_SECONDS
    assert [stage.judge(token) for token in (tokens[0], tokens[1], tokens[-1])] == [401, 204, 204]


def test_token_has_at_most_4096_bytes(stage: Stage, signer: Signer) -> None:
    shortest = len(with_claims(signer, sub="")) - len("Bearer ")
    fitting = (4096 - shortest) * 3 // 4
    tokens = [with_claims(signer, sub="x" * (fitting + more)) for more in range(-3, 4)]
    lengths = [len(token) - len("Bearer ") for token in tokens]
    assert max(length for length in lengths if length <= 4096) > 4094
    assert min(length for length in lengths if length > 4096) < 4099
    assert [stage.judge(token) for token in tokens] == [204 if length <= 4096 else 401 for length in lengths]


def test_garbage_causes_no_fetch(stage: Stage, signer: Signer) -> None:
    good = with_claims(signer)
    garbage = ["Bearer " + "x" * length for length in range(200)]
    garbage += [good[:cut] for cut in range(300)]
    garbage += [with_header(signer, alg="none"), with_header(signer, kid=None), with_claims(signer, iss="x")]
    garbage += [with_claims(signer, exp="soon"), f"{good}, {good}", good + "="]
    assert {stage.judge(token) for token in garbage} == {401}
    assert stage.fetches == 0
