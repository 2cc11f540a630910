"""One push request to one answer: the only map from outcome to HTTP status.

Order: method, token, length, body, save. A refusal before the body closes the connection, so that an unread body costs
no memory. Who showed a token of Google's gets to see it: the body is read and dropped. Others may see a reset.
A method that functions-framework does not route (PURGE, TRACE, PROPFIND) never comes here: the framework answers it
405, with an Allow of what it routes, and logs nothing.
Google's verdicts on a status: cloud.google.com/pubsub/docs/push#receive_push.
"""

import asyncio
import re
import traceback

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from functions.committer import Committer
from functions.envelope import parse_push
from functions.oidc import Claims, TokenVerifier
from functions.rejections import TIMEOUT_SECONDS, Rejections
from functions.request_body import BodyBudget, drop_body, read_body
from infra.errors import EnvelopeError, ForeignTokenError, KeysUnavailableError, StoreError, SubscopeError, TokenError
from infra.logs import Logger
from infra.messages.message import Pushed
from infra.settings import Settings

BUDGET_SECONDS = 20.0
STORE_SECONDS = BUDGET_SECONDS - TIMEOUT_SECONDS  # what is left records a rejection, and drops a body meanwhile
# Ten megabytes in base64, and the longest attributes in the longest JSON escapes.
MAX_BODY_BYTES = 15 * 1024 * 1024
RETRY_AFTER_SECONDS = "5"
_CLOSE = {"connection": "close"}
_NOT_NOW = "The message could not be stored now; send it again."
_STORED = Response(status_code=204)  # nothing in it belongs to one request


class _FormError(Exception):
    """A request that is refused for its form, before its body."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


class _Seen:
    """What is known of a request so far, for the log and the trace of a refusal."""

    claims: Claims | None = None
    pushed: Pushed | None = None
    body_read = False


class _Headers:
    """The headers that decide, found in one pass over the raw ones (lower case, as ASGI says)."""

    def __init__(self, request: Request) -> None:
        self.authorization: list[str] = []
        self._length = ""
        self._encoded = False
        for name, value in request.scope["headers"]:
            if name == b"authorization":
                self.authorization.append(value.decode("latin-1"))
            elif name == b"content-length":
                self._length = value.decode("latin-1")
            elif name == b"transfer-encoding":
                self._encoded = True

    def body_length(self) -> int:
        """The declared length of the body. Raises _FormError 411 or 413."""
        if self._encoded or not re.fullmatch(r"[0-9]{1,15}", self._length):
            raise _FormError(411, "A push says how long it is: Content-Length is missing.")
        if int(self._length) > MAX_BODY_BYTES:
            raise _FormError(413, f"A push is at most {MAX_BODY_BYTES} bytes.")
        return int(self._length)


class Receiver:
    """Answers pushes. One event loop's."""

    def __init__(
        self,
        settings: Settings,
        tokens: TokenVerifier,
        committer: Committer,
        rejections: Rejections,
        logger: Logger,
    ) -> None:
        self._subscriptions = frozenset(map(settings.subscription_path, settings.subscriptions))
        self._tokens = tokens
        self._committer = committer
        self._rejections = rejections
        self._logger = logger
        self._room = BodyBudget()

    async def receive(self, request: Request) -> Response:
        """Answer one push within BUDGET_SECONDS; 204 only when its message is durable."""
        seen = _Seen()
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._store(request, seen)
        except (SubscopeError, _FormError, TimeoutError, ClientDisconnect) as exc:
            # Together: the budget has no room for one after the other.
            await asyncio.gather(self._record(seen, exc), self._drop(request, seen))
            return self._refuse(request, seen, exc)
        except Exception as exc:  # noqa: BLE001 - whatever went wrong, the message stays in Pub/Sub and one line says so
            await self._drop(request, seen)
            return self._refuse(request, seen, exc)
        return _STORED

    async def _store(self, request: Request, seen: _Seen) -> None:
        if request.method != "POST":
            raise _FormError(405, "A push is a POST.", {"allow": "POST"})
        headers = _Headers(request)
        seen.claims = await self._tokens.verify(headers.authorization)
        self._tokens.admit(seen.claims)
        length = headers.body_length()
        async with self._room.hold(length):
            seen.pushed = parse_push(await self._body(request, length, seen))
            if seen.pushed.subscription not in self._subscriptions:
                raise ForeignTokenError("subscription", "The push is from a subscription that is not monitored here.")
            await self._committer.save(seen.pushed)

    async def _body(self, request: Request, length: int, seen: _Seen) -> bytes | bytearray:
        body = await read_body(request, length)
        seen.body_read = True
        return body

    async def _record(self, seen: _Seen, exc: Exception) -> None:
        if seen.claims and isinstance(exc, EnvelopeError | ForeignTokenError):
            await self._rejections.record(seen.claims, _reason(exc), str(exc))

    async def _drop(self, request: Request, seen: _Seen) -> None:
        if seen.claims and not seen.body_read:
            await drop_body(request)

    def _refuse(self, request: Request, seen: _Seen, exc: Exception) -> Response:
        status = _status(exc)
        self._log(request, seen, exc, status)
        headers = dict(exc.headers) if isinstance(exc, _FormError) else {}
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        if status == 503:
            headers["retry-after"] = RETRY_AFTER_SECONDS
        if not seen.body_read:
            headers |= _CLOSE
        return Response(_sentence(exc) + "\n", status, headers, media_type="text/plain")

    def _log(self, request: Request, seen: _Seen, exc: Exception, status: int) -> None:
        pushed, known = seen.pushed, isinstance(exc, _KNOWN)
        # An error that nobody foresaw may quote the payload: only its kind and place are logged.
        said = str(exc) if known else f"{type(exc).__name__} at {_place(exc)}"
        self._logger.log(
            "WARNING" if status != 503 else "ERROR" if known else "CRITICAL",
            f"Push refused: {said}" if status != 503 else f"Push failed: {' '.join(_once(_sentence(exc), said))}",
            traceparent=request.headers.get("traceparent") or request.headers.get("x-cloud-trace-context"),
            status=status,
            reason=_reason(exc),
            message_id=pushed.message_id if pushed else None,
            subscription=pushed.subscription if pushed else None,
        )


_KNOWN = (SubscopeError, _FormError, TimeoutError, ClientDisconnect)


def _once(*sentences: str) -> list[str]:
    return [one for one in dict.fromkeys(sentences) if one]


def _place(exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "an unknown place"


def _status(exc: Exception) -> int:
    if isinstance(exc, _FormError):
        return exc.status
    if isinstance(exc, EnvelopeError | TokenError | ForeignTokenError):
        return exc.status
    # Whatever Firestore said, the message is not known to be stored: Pub/Sub keeps it and tries again.
    return 400 if isinstance(exc, ClientDisconnect) else 503


def _reason(exc: Exception) -> str:
    """One stable word for logs and rejections."""
    match exc:
        case TokenError() | ForeignTokenError():
            return exc.reason
        case EnvelopeError():
            return "envelope"
        case KeysUnavailableError():
            return "keys"
        case StoreError():
            return "store"
        case TimeoutError():
            return "budget"
        case ClientDisconnect():
            return "disconnected"
        case _FormError():
            return "form"
        case _:
            return "bug"


def _sentence(exc: Exception) -> str:
    """What the answer says; Firestore's own words stay in the log."""
    match exc:
        case StoreError():
            return _NOT_NOW
        case TimeoutError():
            return f"The message could not be stored within {STORE_SECONDS:g} s; send it again."
        case ClientDisconnect():
            return "The client left."
        case SubscopeError() | _FormError():
            return str(exc)
        case _:
            return _NOT_NOW
