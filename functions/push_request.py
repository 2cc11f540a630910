"""One push request: its headers, and the results of the checks so far."""

import re

from starlette.requests import Request

from functions.refusals import PushFormError
from functions.request_body import BodyShare, drop_body, read_body
from functions.tokens.oidc import Claims
from infra.messages.message import Pushed

# Ten megabytes in base64, and the longest attributes in the longest JSON escapes.
MAX_BODY_BYTES = 15 * 1024 * 1024
_LENGTH, _TRANSFER = b"content-length", b"transfer-encoding"
# Cloud Run accepts a token in either of the last two. If both are there it checks only the last, so that the other one
# proves nothing: cloud.google.com/run/docs/authenticating/service-to-service
_TOKENS = frozenset({b"authorization", b"x-serverless-authorization"})
# Identity-Aware Proxy takes the caller's token in the first, passes Authorization on unchecked, and adds the second:
# cloud.google.com/iap/docs/authentication-howto
_PROXY = frozenset({b"proxy-authorization", b"x-goog-iap-jwt-assertion"})
_READ = frozenset({_LENGTH, _TRANSFER}) | _TOKENS | _PROXY


class PushRequest:
    """A push between its arrival and its answer.

    ``authorization`` has the values of both headers for a token, ``of_proxy`` the names of headers that show that
    Identity-Aware Proxy checked another caller. ``claims`` is set when the token is verified, ``pushed`` when the body
    is decoded: a refusal logs what is set.
    """

    __slots__ = (
        "_content_length",
        "_request",
        "_transfer_encoded",
        "authorization",
        "body_read",
        "claims",
        "of_proxy",
        "pushed",
    )

    def __init__(self, request: Request) -> None:
        self._request = request
        self.claims: Claims | None = None
        self.pushed: Pushed | None = None
        self.body_read = False
        self.authorization: list[str] = []
        self.of_proxy: list[str] = []
        self._content_length = ""
        self._transfer_encoded = False
        # One pass over the raw headers; their names are in lower case (ASGI). Most are skipped by one comparison.
        for name, value in request.scope["headers"]:
            if name not in _READ:
                continue
            if name == _LENGTH:
                self._content_length = value.decode("latin-1")
            elif name == _TRANSFER:
                self._transfer_encoded = True
            elif name in _PROXY:
                self.of_proxy.append(name.decode("latin-1"))
            else:
                self.authorization.append(value.decode("latin-1"))

    @property
    def trace(self) -> str | None:
        """The header that names the request's trace."""
        headers = self._request.headers
        return headers.get("traceparent") or headers.get("x-cloud-trace-context")

    def check_method(self) -> None:
        """Raise PushFormError (405) unless the method is POST."""
        if self._request.method != "POST":
            raise PushFormError(405, "A push is a POST.", {"allow": "POST"})

    def body_length(self) -> int:
        """Return the declared length of the body. Raises PushFormError (411, 413)."""
        if self._transfer_encoded or not re.fullmatch(r"[0-9]{1,15}", self._content_length):
            raise PushFormError(411, "A push needs a Content-Length header.")
        length = int(self._content_length)
        if length > MAX_BODY_BYTES:
            raise PushFormError(413, f"A push is at most {MAX_BODY_BYTES} bytes.")
        return length

    async def body(self, length: int, share: BodyShare) -> bytes | bytearray:
        """Read the body; ``share`` counts its bytes. Raises EnvelopeError (400), ClientLeftError (400)."""
        body = await read_body(self._request, length, share)
        self.body_read = True
        return body

    async def drop_body(self) -> None:
        """Read and discard the rest of the body, if Google signed the caller's token.

        Then the refusal arrives: a connection that closes on unread bytes is reset.
        """
        if self.claims and not self.body_read:
            await drop_body(self._request)
