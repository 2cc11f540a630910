"""Cloud Run's invoker check in front of the receiver: it admits one account, and removes the signature it verified.

Of two tokens only that of X-Serverless-Authorization is checked, as Cloud Run does.
Source: cloud.google.com/run/docs/authenticating/service-to-service, cloud.google.com/run/docs/troubleshooting.
"""

from collections.abc import Callable, Mapping

from aiohttp import hdrs, web
from google.auth import exceptions, jwt

from infra.local.relays.forwarding import MAX_BODY_BYTES, Forwarder

REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
_SERVERLESS = "X-Serverless-Authorization"
_OF_ONE_CONNECTION = frozenset({"host", "content-length", "connection", "transfer-encoding"})


class InvokerCheck:
    """Forwards the pushes of ``invoker`` to ``receiver``; refuses others with 401 or 403."""

    def __init__(self, certificates: Callable[[], Mapping[str, str]], receiver: str, invoker: str) -> None:
        self._certificates = certificates
        self._forwarder = Forwarder(receiver)
        self._invoker = invoker

    def application(self) -> web.Application:
        """Return the application with the routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self.forward)
        return app

    async def forward(self, request: web.Request) -> web.Response:
        """Forward one push, without the signature of the token that was checked."""
        name = _SERVERLESS if _SERVERLESS in request.headers else hdrs.AUTHORIZATION
        token = request.headers.get(name, "").removeprefix("Bearer ")
        own = str(request.url.origin())
        try:
            claims = jwt.decode(token, self._certificates(), audience=[own, f"{own}/"])  # type: ignore[no-untyped-call]
        except (ValueError, exceptions.GoogleAuthError) as exc:
            return web.Response(status=401, text=f"The request was not authenticated: {exc}")
        if claims.get("email") != self._invoker:
            return web.Response(status=403, text=f"{claims.get('email')} has no right to invoke this service.")
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _OF_ONE_CONNECTION}
        headers[name] = f"Bearer {token.rpartition('.')[0]}.{REMOVED}"
        return await self._forwarder.forward(request, headers)

    async def close(self) -> None:
        await self._forwarder.close()
