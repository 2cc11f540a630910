"""Tokens without the signature that Cloud Run removed: accepted where it checks tokens, refused elsewhere."""

import asyncio

import pytest

from functions.tokens.platform_signature import OPEN_SECONDS
from infra.local.token_signer import Signer, SigningKey, push_claims
from infra.settings import SignatureCheck
from tests.support.receiver.push import ACCOUNT, AUDIENCE
from tests.support.receiver.stage import CLAIMS, NOW, Stage, with_claims, with_header

REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


@pytest.fixture
def stage(signer: Signer) -> Stage:
    return Stage(signer, check="platform")


def without_signature(token: str, third: str = REMOVED) -> str:
    return f"{token.rpartition('.')[0]}.{third}"


def removed(signer: Signer, **changed: object) -> str:
    return without_signature(with_claims(signer, **changed))


@pytest.mark.parametrize(("check", "status"), [("receiver", 401), ("platform", 204)])
def test_removed_signature_is_accepted_only_with_the_setting(
    signer: Signer, check: SignatureCheck, status: int
) -> None:
    stage = Stage(signer, check=check)
    assert stage.judge(removed(signer)) == status
    assert stage.fetches == 0, "no key can prove it"
    assert stage.judge(with_claims(signer)) == 204, "a complete token is accepted in both"


def test_removed_signature_without_the_setting_says_what_happened(signer: Signer) -> None:
    assert Stage(signer).reason(removed(signer)) == "signature_removed"


@pytest.mark.parametrize(("status", "changed"), CLAIMS, ids=str)
def test_each_claim_counts_without_a_signature_as_well(
    stage: Stage, signer: Signer, status: int, changed: dict[str, object]
) -> None:
    assert stage.judge(removed(signer, **changed)) == status


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "rs256"},
        {"alg": None},
        {"crit": []},
        {"b64": False},
        {"kid": None},
        {"kid": ""},
        {"kid": ["k"]},
    ],
    ids=str,
)
def test_each_header_counts_without_a_signature_as_well(
    stage: Stage, signer: Signer, changed: dict[str, object]
) -> None:
    assert stage.judge(without_signature(with_header(signer, **changed))) == 401


@pytest.mark.parametrize(
    "third",
    [
        "",
        " ",
        "A",
        "none",
        "null",
        "SIGNATURE_REMOVED_BY_GOOGL",
        "SIGNATURE_REMOVED_BY_GOOGLE_",
        "SIGNATURE_REMOVED_BY_GOOGLE=",
        "SIGNATURE_REMOVED_BY_GOOGLE ",
        " SIGNATURE_REMOVED_BY_GOOGLE",
        "SIGNATURE_REMOVED_BY_GOOGLE.",
        "SIGNATURE_REMOVED_BY_GOOGLE.SIGNATURE_REMOVED_BY_GOOGLE",
        "signature_removed_by_google",
        "SIGNATURE-REMOVED-BY-GOOGLE",
        "SIGNATURE%5FREMOVED%5FBY%5FGOOGLE",
        "\uff33IGNATURE_REMOVED_BY_GOOGLE",
        "U0lHTkFUVVJFX1JFTU9WRURfQllfR09PR0xF",  # the text in base64
        "A" * 342,  # as long as a signature
    ],
)
def test_every_other_third_part_is_refused(stage: Stage, signer: Signer, third: str) -> None:
    assert stage.judge(without_signature(with_claims(signer), third)) == 401


def test_token_of_two_parts_or_with_an_empty_payload_is_refused(stage: Stage, signer: Signer) -> None:
    header, payload, _ = with_claims(signer).split(".")
    for token in (f"{header}.{payload}", f"{header}.{REMOVED}", f"{header}..{REMOVED}", f"Bearer ..{REMOVED}"):
        assert stage.judge(token) == 401


def test_complete_signature_is_still_verified(stage: Stage, signer: Signer) -> None:
    stranger = SigningKey(signer.key.id, SigningKey.generate().private, "")
    assert stage.judge("Bearer " + stranger.sign(push_claims(ACCOUNT, AUDIENCE, NOW))) == 401
    assert stage.reason("Bearer " + Signer().sign(push_claims(ACCOUNT, AUDIENCE, NOW))) == "kid"


def test_cached_token_without_a_signature_expires(stage: Stage, signer: Signer) -> None:
    assert stage.judge(removed(signer)) == 204
    stage.now += 3661
    assert stage.reason(removed(signer)) == "clock"


def test_push_without_a_token_proves_that_the_service_is_open(stage: Stage, signer: Signer) -> None:
    cached, fresh, complete = removed(signer), removed(signer, sub="1"), with_claims(signer)
    assert stage.judge(cached) == 204
    assert stage.reason() == "service_open"
    assert [stage.reason(cached), stage.reason(fresh)] == ["service_open", "service_open"]
    assert stage.judge(complete) == 204, "an open service gets complete tokens, and goes on"
    stage.now += OPEN_SECONDS
    assert stage.judge(removed(signer, exp=stage.now + 60, iat=stage.now)) == 204


@pytest.mark.parametrize("check", ["receiver", "platform"])
@pytest.mark.parametrize("name", ["proxy-authorization", "x-goog-iap-jwt-assertion"])
def test_token_beside_the_header_of_a_proxy_is_refused(signer: Signer, check: SignatureCheck, name: str) -> None:
    stage = Stage(signer, check=check)
    good = removed(signer) if check == "platform" else with_claims(signer)
    assert stage.reason(good, of_proxy=(name,)) == "proxy"
    assert [stage.judge(good), stage.judge(good, of_proxy=(name,)), stage.judge(good)] == [204, 401, 204]


def test_header_of_a_proxy_is_no_token(stage: Stage, signer: Signer) -> None:
    assert stage.reason(of_proxy=("proxy-authorization",)) == "service_open"
    assert stage.reason(removed(signer)) == "service_open"


def test_other_refusals_do_not_prove_that_the_service_is_open(stage: Stage, signer: Signer) -> None:
    for authorization in ("", "Bearer", "Basic x", "Bearer a.b.c", with_claims(signer)[:-4], removed(signer, aud="x")):
        assert stage.judge(authorization) in (401, 403)
    assert stage.judge(removed(signer)) == 204


def test_push_without_a_token_keeps_the_cache_of_a_receiver_that_verifies_itself(signer: Signer) -> None:
    stage = Stage(signer)

    async def story() -> None:
        await stage.tokens.verify([with_claims(signer)])

    asyncio.run(story())
    assert stage.reason() == "missing"
    assert len(stage.tokens._verified) == 1
