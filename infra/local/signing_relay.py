"""A signing relay in front of the receiver: it adds the token that Google's Pub/Sub emulator does not send."""

import io

import aiohttp
from aiohttp import web
from yarl import URL

from infra.local.pubsub.push_delivery import TokenSource

# The longest push of Pub/Sub: 10 MB in base64, and the rest of the envelope.
MAX_BODY_BYTES = 16 * 1024 * 1024


class SigningRelay:
    """Forwards every push to ``receiver`` with a token for ``email`` and ``audience``; answers with its status."""

    def __init__(self, tokens: TokenSource, receiver: str, email: str, audience: str) -> None:
        self._tokens = tokens
        self._receiver = URL(receiver)
        self._email = email
        self._audience = audience
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=60),
        )

    def application(self) -> web.Application:
        """Return the application with the routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self.forward)
        return app

    async def forward(self, request: web.Request) -> web.Response:
        """Forward one push; answer 502 when the receiver does not answer, so that the emulator retries."""
        metadata = {name: value for name, value in request.headers.items() if name.lower().startswith("x-goog-pubsub-")}
        headers = {
            **metadata,
            "Content-Type": request.content_type,
            "User-Agent": request.headers.get("User-Agent", ""),
            "Authorization": "Bearer " + self._tokens.push_token(self._email, self._audience),
        }
        body = await request.read()
        try:
            async with self._http.post(
                self._receiver, data=io.BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                return web.Response(status=response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            return web.Response(status=502, text=f"The receiver does not answer: {exc}")

    async def close(self) -> None:
        await self._http.close()
