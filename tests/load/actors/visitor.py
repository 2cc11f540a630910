"""A signed-in person of the viewer, through its forms and pages alone."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

import aiohttp

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
COOKIE = "subscope"


@dataclass
class Visit:
    """One page: when, the status (0 without an answer), and the seconds until its last byte."""

    at: float
    status: int
    seconds: float


@dataclass
class Visitor:
    """Pages, forms and the JSON API of one viewer, with one cookie, from an address of loopback."""

    viewer: str
    address: str = "127.0.0.1"
    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = aiohttp.ClientSession(
            self.viewer,
            connector=aiohttp.TCPConnector(limit=0, local_addr=(self.address, 0)),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=30),
        )
        self._token = ""

    async def close(self) -> None:
        await self.http.close()

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        jar: SimpleCookie = self.http.cookie_jar.filter_cookies(self.http._base_url)  # type: ignore[arg-type, assignment]
        return f"{COOKIE}={jar[COOKIE].value}"

    async def sign_in(self, name: str, password: str) -> None:
        """Sign in by the form."""
        status = await self.try_sign_in(name, password)
        assert status == 303, f"signing in gave {status}"
        self._token = await self.form_token("/password")

    async def try_sign_in(self, name: str, password: str) -> int:
        """Send the sign-in form; return the status, 303 for success."""
        form = {"username": name, "password": password, "csrf_token": await self.form_token("/login")}
        async with self.http.post("/login", data=form, allow_redirects=False) as answer:
            return answer.status

    async def newest_cursor(self) -> str:
        """Return the cursor of the newest message; "" without a message."""
        async with self.http.get("/api/v1/messages", params={"limit": "1"}) as answer:
            assert answer.status == 200, f"the list gave {answer.status}"
            messages = (await answer.json())["messages"]
            return messages[0]["cursor"] if messages else ""

    async def switch(self, subscription: str, action: str) -> dict[str, object]:
        """Start or stop delivery; return the state that the viewer shows, or {} if it refused."""
        headers = {"Accept": "application/json", "X-CSRFToken": self._token}
        try:
            async with self.http.post(f"/subscriptions/{subscription}/{action}", headers=headers) as answer:
                return await answer.json() if answer.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError):
            return {}

    async def ready(self) -> tuple[int, str]:
        """Return the status of the readiness probe and the feed's state."""
        try:
            async with self.http.get("/ready") as answer:
                return answer.status, (await answer.json())["feed"]["status"]
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0, ""

    async def read_pages(self, path: str, pause_seconds: float = 1.0) -> None:
        """Read a page again and again until cancelled, and note each visit."""
        while True:
            began = time.monotonic()
            status = 0
            try:
                async with self.http.get(path) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.visits.append(Visit(time.time(), status, time.monotonic() - began))
            await asyncio.sleep(pause_seconds)

    async def form_token(self, path: str) -> str:
        """Return the form token of a page."""
        async with self.http.get(path) as page:
            found = _TOKEN.search(await page.text())
        assert found, f"the page {path} has no form token"
        return found[1]
