"""Forwards a push to one address, as it is except for its headers, and answers with the status of the answer."""

import io
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

# The longest push of Pub/Sub: 10 MB in base64, and the rest of the envelope.
MAX_BODY_BYTES = 16 * 1024 * 1024


class Forwarder:
    """Forwards to ``target``."""

    def __init__(self, target: str) -> None:
        self._target = URL(target)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def forward(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """Forward one push; answer 502 when the target does not answer, so that Pub/Sub retries."""
        body = await request.read()
        try:
            async with self._http.post(
                self._target, data=io.BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                return web.Response(status=response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            return web.Response(status=502, text=f"The receiver does not answer: {exc}")

    async def close(self) -> None:
        await self._http.close()
