"""The HTTP endpoints of the local cloud: Google's certificates, and requests for developers.

``GET /certs`` stands for Google's certificate page. Google has no counterpart of the others: ``GET
/backlog?subscription=NAME``, ``POST /token`` (a push token, for curl; a JSON object in the body replaces claims) and
``POST /rotate`` (a new key).
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from infra.local.journal import Journal
from infra.local.token_signer import Signer, push_claims

CERTS_MAX_AGE_SECONDS = 3600

Backlog = Callable[[str], dict[str, object] | None]


@dataclass(frozen=True)
class HttpEndpoints:
    """``backlog`` returns a subscription's backlog by its full name.

    None with Google's emulator, which has no such call.
    """

    signer: Signer
    email: str
    audience: str
    backlog: Backlog | None
    journal: Journal

    def application(self) -> web.Application:
        """Return the application with the routes."""
        app = web.Application()
        app.router.add_get("/certs", self.certs)
        app.router.add_get("/backlog", self.count)
        app.router.add_post("/token", self.token)
        app.router.add_post("/rotate", self.rotate)
        return app

    async def certs(self, _: web.Request) -> web.Response:
        self.journal.write("certificates_fetched")
        cache = f"public, max-age={CERTS_MAX_AGE_SECONDS}, must-revalidate, no-transform"
        return web.json_response(self.signer.certificates(), headers={"Cache-Control": cache})

    async def count(self, request: web.Request) -> web.Response:
        if self.backlog is None:
            return _problem(501, "Google's emulator has no method that counts waiting messages.")
        name = request.query.get("subscription", "")
        found = self.backlog(name)
        if found is None:
            return _problem(404, f"Unknown subscription {name!r}; use the full name: projects/P/subscriptions/S.")
        return web.json_response(found)

    async def token(self, request: web.Request) -> web.Response:
        claims = push_claims(self.email, self.audience, time.time())
        try:
            changes = json.loads(await request.text() or "{}")
        except ValueError:
            changes = None
        if not isinstance(changes, dict):
            return _problem(400, "The body must be empty or a JSON object of claims.")
        return web.Response(text=self.signer.sign({**claims, **changes}))

    async def rotate(self, _: web.Request) -> web.Response:
        self.signer.rotate()
        return web.json_response({"kid": self.signer.key.id})


def _problem(status: int, problem: str) -> web.Response:
    return web.json_response({"error": problem}, status=status)
