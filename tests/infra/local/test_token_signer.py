"""Google's library accepts the signed tokens, and refuses changed ones."""

import time

import pytest
from google.auth import exceptions, jwt

from infra.local.token_signer import REUSE_SECONDS, TOKEN_SECONDS, Signer, SigningKey, push_claims

EMAIL, AUDIENCE = "push@p.iam.gserviceaccount.com", "https://receiver.example"


def verify(token: str, signer: Signer, audience: str = AUDIENCE) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, signer.certificates(), audience=audience)  # type: ignore[no-untyped-call]
    return claims


def test_push_token_has_googles_claims() -> None:
    signer = Signer()
    claims = verify(signer.push_token(EMAIL, AUDIENCE), signer)
    assert set(claims) == {"aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"}
    assert (claims["aud"], claims["email"], claims["email_verified"]) == (AUDIENCE, EMAIL, True)
    assert claims["iss"] == "https://accounts.google.com"


def test_token_is_reused_while_valid() -> None:
    signer = Signer()
    assert signer.push_token(EMAIL, AUDIENCE) == signer.push_token(EMAIL, AUDIENCE)
    assert signer.push_token(EMAIL, AUDIENCE) != signer.push_token(EMAIL, "https://other.example")
    assert REUSE_SECONDS < TOKEN_SECONDS - 60


def test_invalid_tokens_can_be_signed_for_tests() -> None:
    signer = Signer()
    expired = signer.sign(push_claims(EMAIL, AUDIENCE, time.time() - 2 * TOKEN_SECONDS))
    forged = SigningKey.generate().sign(push_claims(EMAIL, AUDIENCE, time.time()))
    borrowed = SigningKey.generate().sign(push_claims(EMAIL, AUDIENCE, time.time()), {"kid": signer.key.id})
    with pytest.raises(exceptions.InvalidValue, match="expired"):
        verify(expired, signer)
    with pytest.raises(exceptions.MalformedError, match="not found"):
        verify(forged, signer)
    with pytest.raises(exceptions.MalformedError, match="verify token signature"):
        verify(borrowed, signer)
    with pytest.raises(exceptions.InvalidValue, match="audience"):
        verify(signer.push_token(EMAIL, AUDIENCE), signer, "https://other.example")


def test_two_newest_certificates_are_served() -> None:
    signer = Signer()
    first = signer.push_token(EMAIL, AUDIENCE)
    signer.rotate()
    second = signer.push_token(EMAIL, AUDIENCE)
    assert jwt.decode_header(first)["kid"] != jwt.decode_header(second)["kid"]  # type: ignore[no-untyped-call]
    assert verify(first, signer)
    assert verify(second, signer)
    signer.rotate()
    assert verify(second, signer)
    with pytest.raises(exceptions.MalformedError):
        verify(first, signer)
