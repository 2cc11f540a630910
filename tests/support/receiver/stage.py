"""A verifier of tokens with a settable clock, and tokens with one thing changed."""

import asyncio
import json

from functions.tokens.google_keys import KeyRing, Reply
from functions.tokens.google_signature import GoogleSignature
from functions.tokens.oidc import TokenVerifier
from functions.tokens.platform_signature import PlatformSignature
from infra.errors import ForeignTokenError, SubscopeError, TokenError
from infra.local.token_signer import Signer, push_claims
from infra.settings import SignatureCheck
from tests.support.receiver.push import ACCOUNT, AUDIENCE

NOW = 1_800_000_000.0
# The status of a token with these claims in the place of good ones; ... leaves a claim out.
CLAIMS: list[tuple[int, dict[str, object]]] = [
    (204, {"aud": [AUDIENCE]}),
    (204, {"iss": "accounts.google.com"}),
    (204, {"nbf": NOW}),
    (204, {"azp": ...}),
    (204, {"exp": NOW + 3600.5}),
    (204, {"exp": NOW + 3700}),
    (401, {"exp": NOW + 3701}),
    (401, {"exp": NOW, "iat": NOW}),
    (401, {"sub": "\ud800"}),
    (403, {"aud": "https://other.example"}),
    (403, {"aud": AUDIENCE + "/"}),
    (403, {"aud": [AUDIENCE, "https://other.example"]}),
    (403, {"aud": []}),
    (403, {"aud": {"0": AUDIENCE}}),
    (403, {"aud": None}),
    (403, {"aud": ...}),
    (403, {"aud": ""}),
    (403, {"email": "other@subscope-test.iam.gserviceaccount.com"}),
    (403, {"email": ACCOUNT.upper()}),
    (403, {"email": [ACCOUNT]}),
    (403, {"email": ...}),
    (403, {"email_verified": False}),
    (403, {"email_verified": "true"}),
    (403, {"email_verified": 1}),
    (403, {"email_verified": ...}),
    (401, {"iss": "https://securetoken.google.com/project"}),
    (401, {"iss": "https://cloud.google.com/iap"}),
    (401, {"iss": "https://accounts.google.com/"}),
    (401, {"iss": ["https://accounts.google.com"]}),
    (401, {"iss": None}),
    (401, {"iss": ...}),
    (401, {"exp": ...}),
    (401, {"exp": str(NOW + 3600)}),
    (401, {"exp": True}),
    (401, {"exp": [NOW]}),
    (401, {"exp": None}),
    (401, {"exp": NOW + 10 * 365 * 86400}),
    (401, {"exp": 10**400}),
    (401, {"exp": -1}),
    (401, {"exp": NOW - 3600, "iat": NOW}),
    (401, {"iat": ...}),
    (401, {"iat": "now"}),
    (401, {"iat": True}),
    (401, {"iat": NOW - 200, "exp": NOW + 3600}),
    (401, {"nbf": NOW + 61}),
    (401, {"nbf": "soon"}),
]


class Stage:
    """A verifier with a settable clock and a count of its fetches."""

    def __init__(
        self,
        signer: Signer,
        audiences: tuple[str, ...] = (AUDIENCE,),
        check: SignatureCheck = "receiver",
        account: str = ACCOUNT,
    ) -> None:
        self.now = NOW
        self.fetches = 0
        self.signer = signer
        google = GoogleSignature(KeyRing(self._fetch, self._clock))
        signature = PlatformSignature(google, self._clock) if check == "platform" else google
        self.tokens = TokenVerifier(signature, audiences, account, self._clock)

    async def _fetch(self) -> Reply:
        self.fetches += 1
        return Reply(json.dumps(self.signer.certificates()).encode())

    def _clock(self) -> float:
        return self.now

    def judge(self, *authorization: str, of_proxy: tuple[str, ...] = ()) -> int:
        """The status an Authorization header gets."""
        try:
            asyncio.run(self._verify(authorization, of_proxy))
        except SubscopeError as exc:
            return exc.status
        return 204

    def reason(self, *authorization: str, of_proxy: tuple[str, ...] = ()) -> str:
        """The word a refusal gives to logs."""
        try:
            asyncio.run(self._verify(authorization, of_proxy))
        except (TokenError, ForeignTokenError) as exc:
            return exc.reason
        raise AssertionError("the token was admitted")

    async def _verify(self, authorization: tuple[str, ...], of_proxy: tuple[str, ...]) -> None:
        self.tokens.admit(await self.tokens.verify(authorization, of_proxy))


def with_claims(signer: Signer, **changed: object) -> str:
    """A bearer token of good claims with ``changed`` put in; ... leaves a claim out."""
    claims = {**push_claims(ACCOUNT, AUDIENCE, NOW), **changed}
    return "Bearer " + signer.sign({name: value for name, value in claims.items() if value is not ...})


def with_header(signer: Signer, **changed: object) -> str:
    return "Bearer " + signer.key.sign(push_claims(ACCOUNT, AUDIENCE, NOW), changed)
