"""Answers one push request: the order of the checks, the answer to each error, and its log line.

Order: method, token, length, body, save. A refusal before the body closes the connection, so that an unread body costs
no memory. A caller with a token of Google always receives the refusal: its body is read and discarded first. Other
callers may see a connection reset.
functions-framework answers the methods that it does not route (PURGE, TRACE, PROPFIND): 405 with an Allow header of its
routes, and no log line.
Pub/Sub's reading of a status: cloud.google.com/pubsub/docs/push#receive_push.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from functions.envelope import parse_push
from functions.group_commit import GroupCommit
from functions.live_settings import LiveSettings
from functions.push_request import PushRequest
from functions.refusals import NotStoredError, OutOfTimeError, PushFormError, UnexpectedPushError
from functions.rejections import TIMEOUT_SECONDS, Rejections
from functions.request_body import BodyBudget
from functions.tokens.oidc import TokenVerifier
from infra.errors import EnvelopeError, ForeignTokenError, StoreError, SubscopeError
from infra.logs import Logger, Severity

BUDGET_SECONDS = 20.0
# The rest of the budget records a rejection and, at the same time, discards a body.
STORE_SECONDS = BUDGET_SECONDS - TIMEOUT_SECONDS
RETRY_AFTER_SECONDS = "5"
_STORED = Response(status_code=204)  # shared: it holds nothing of a single request


class Receiver:
    """Answers pushes, on one event loop."""

    def __init__(
        self,
        settings: LiveSettings,
        tokens: TokenVerifier,
        committer: GroupCommit,
        rejections: Rejections,
        logger: Logger,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._committer = committer
        self._rejections = rejections
        self._logger = logger
        self._body_budget = BodyBudget()

    async def receive(self, request: Request, waited_seconds: float = 0.0) -> Response:
        """Answer one push within BUDGET_SECONDS; 204 only when its message is durable.

        ``waited_seconds`` of them the push has already waited for the settings.
        """
        push = PushRequest(request)
        try:
            async with asyncio.timeout(STORE_SECONDS - waited_seconds):
                await self._store(push)
        except StoreError as exc:
            return await self._refuse(push, NotStoredError(str(exc)))
        except SubscopeError as exc:
            return await self._refuse(push, exc)
        except TimeoutError:
            return await self._refuse(push, OutOfTimeError(STORE_SECONDS))
        except Exception as exc:  # noqa: BLE001 - after any error the message stays in Pub/Sub, and one line is logged
            return await self._refuse(push, UnexpectedPushError(exc))
        return _STORED

    async def _store(self, push: PushRequest) -> None:
        push.check_method()
        push.claims = await self._tokens.verify(push.authorization, push.of_proxy)
        self._tokens.admit(push.claims)
        length = push.body_length()
        with self._body_budget.share() as share:
            push.pushed = parse_push(await push.body(length, share))
            if not await self._settings.monitors(push.pushed.subscription):
                raise ForeignTokenError("subscription", "The push is from a subscription that is not monitored here.")
            await self._committer.save(push.pushed)

    async def _refuse(self, push: PushRequest, error: SubscopeError) -> Response:
        # At the same time: the budget has no room for one after the other.
        await asyncio.gather(self._record(push, error), push.drop_body())
        self._log(push, error)
        return Response(error.sentence() + "\n", error.status, _headers(push, error), media_type="text/plain")

    async def _record(self, push: PushRequest, error: SubscopeError) -> None:
        if push.claims and isinstance(error, EnvelopeError | ForeignTokenError):
            await self._rejections.record(push.claims, error.reason, str(error))

    def _log(self, push: PushRequest, error: SubscopeError) -> None:
        pushed = push.pushed
        self._logger.log(
            _severity(error),
            _log_message(error),
            traceparent=push.trace,
            status=error.status,
            reason=error.reason,
            message_id=pushed.message_id if pushed else None,
            subscription=pushed.subscription if pushed else None,
        )


def _headers(push: PushRequest, error: SubscopeError) -> dict[str, str]:
    headers = dict(error.headers) if isinstance(error, PushFormError) else {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.status == 503:
        headers["retry-after"] = RETRY_AFTER_SECONDS
    if not push.body_read:
        headers["connection"] = "close"
    return headers


def _severity(error: SubscopeError) -> Severity:
    if error.reason == "service_open":
        return "CRITICAL"
    if error.status != 503:
        return "WARNING"
    return "CRITICAL" if isinstance(error, UnexpectedPushError) else "ERROR"


def _log_message(error: SubscopeError) -> str:
    if error.status != 503:
        return f"Push refused: {error}"
    sentence, detail = error.sentence(), str(error)
    return f"Push failed: {sentence}" + (f" {detail}" if detail != sentence else "")
