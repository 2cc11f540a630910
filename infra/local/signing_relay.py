"""A signing relay in front of the receiver: Google's Pub/Sub emulator pushes without a token, and this adds it."""

import io

import aiohttp
from aiohttp import web
from yarl import URL

from infra.local.pubsub.push_delivery import TokenSource

# 10 MB in base64 and some: what Pub/Sub can push.
MAX_BODY_BYTES = 16 * 1024 * 1024


class Relay:
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
        """The routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/", self.forward)
        return app

    async def forward(self, request: web.Request) -> web.Response:
        """Answer 502 when the receiver does not, so that the emulator tries again."""
        headers = {
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
