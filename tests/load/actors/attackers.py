"""Attackers of stage L8: tokens of garbage, bodies of 30 MB, slow headers, wrong passwords."""

import asyncio
import contextlib
import secrets
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from tests.load.actors.visitor import Visitor

BODY_BYTES = 30_000_000
LOGINS_PER_SECOND = 100
# Two networks, so that the viewer can tell the attackers from others.
ATTACKERS_ADDRESS = "127.0.20.20"


@dataclass
class Attackers:
    """Attack one receiver and one viewer. ``answers`` counts the statuses by attack; 0 is a closed connection.

    ``errors`` counts the answers 5xx that are no refusal: 503 with Retry-After asks for patience.
    """

    receiver: str
    viewer: str
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Attack with 20 connections until cancelled."""
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as http,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(5):
                tasks.create_task(self._send_garbage_tokens(http))
                tasks.create_task(self._send_large_bodies(http))
                tasks.create_task(self._send_slow_headers(self.receiver))
                tasks.create_task(self._send_slow_headers(self.viewer))
            tasks.create_task(self._sign_in_wrongly())

    async def _send_garbage_tokens(self, http: aiohttp.ClientSession) -> None:
        while True:
            token = ".".join(secrets.token_urlsafe(40) for _ in range(3))
            await self._post(http, "garbage tokens", self.receiver, b"{}", {"Authorization": f"Bearer {token}"})
            await asyncio.sleep(0.02)

    async def _send_large_bodies(self, http: aiohttp.ClientSession) -> None:
        body = bytes(BODY_BYTES)
        while True:
            await self._post(http, "30 MB bodies", self.receiver, body, {})
            await asyncio.sleep(0.2)

    async def _send_slow_headers(self, url: str) -> None:
        parts = urlsplit(url)
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
                try:
                    for byte in b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 60:
                        writer.write(bytes([byte]))
                        await writer.drain()
                        await asyncio.sleep(0.5)
                finally:
                    writer.close()
            self._count("slow headers", 0)
            await asyncio.sleep(0.1)

    async def _sign_in_wrongly(self) -> None:
        stranger = Visitor(self.viewer, ATTACKERS_ADDRESS)
        try:
            token = await stranger.form_token("/login")
            async with asyncio.TaskGroup() as tasks:
                while True:
                    form = {"username": f"user{secrets.randbelow(200)}", "password": "wrong", "csrf_token": token}
                    tasks.create_task(self._post(stranger.http, "wrong passwords", "/login", form, {}))
                    await asyncio.sleep(1 / LOGINS_PER_SECOND)
        finally:
            await stranger.close()

    async def _post(
        self, http: aiohttp.ClientSession, attack: str, url: str, body: object, headers: dict[str, str]
    ) -> None:
        try:
            async with http.post(url, data=body, headers=headers) as answer:
                self._count(attack, answer.status)
                self.errors[attack] += answer.status >= 500 and "Retry-After" not in answer.headers
        except (aiohttp.ClientError, TimeoutError, OSError):
            self._count(attack, 0)

    def _count(self, attack: str, status: int) -> None:
        self.answers.setdefault(attack, Counter())[status] += 1
