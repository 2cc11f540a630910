"""A signing relay in front of the receiver: it adds the token that Google's Pub/Sub emulator does not send."""

from aiohttp import web

from infra.local.pubsub.push_delivery import TokenSource
from infra.local.relays.forwarding import MAX_BODY_BYTES, Forwarder


class SigningRelay:
    """Forwards every push to ``receiver`` with a token for ``email`` and ``audience``; answers with its status."""

    def __init__(self, tokens: TokenSource, receiver: str, email: str, audience: str) -> None:
        self._tokens = tokens
        self._forwarder = Forwarder(receiver)
        self._email = email
        self._audience = audience

    def application(self) -> web.Application:
        """Return the application with the routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self.forward)
        return app

    async def forward(self, request: web.Request) -> web.Response:
        """Forward one push with a token."""
        metadata = {name: value for name, value in request.headers.items() if name.lower().startswith("x-goog-pubsub-")}
        headers = {
            **metadata,
            "Content-Type": request.content_type,
            "User-Agent": request.headers.get("User-Agent", ""),
            "Authorization": "Bearer " + self._tokens.push_token(self._email, self._audience),
        }
        return await self._forwarder.forward(request, headers)

    async def close(self) -> None:
        await self._forwarder.close()
