"""The signing certificates with faults: an error, no answer, or a page that holds no certificates."""

import asyncio
from typing import Any

from aiohttp import web

from infra.local.http_endpoints import HttpEndpoints
from tests.load.cloud.faults import Faults

_SLOW_SECONDS = 30.0


class FaultyEndpoints(HttpEndpoints):
    """Answers ``/certs`` as ``faults`` says."""

    def __init__(self, faults: Faults, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_faults", faults)

    async def certs(self, request: web.Request) -> web.Response:
        faults: Faults = self._faults  # type: ignore[attr-defined]
        answer = await super().certs(request)
        if not faults.is_on("certificates"):
            return answer
        match faults.certificates:
            case "error":
                return web.Response(status=500)
            case "slow":
                await asyncio.sleep(_SLOW_SECONDS)
            case "html":
                return web.Response(text="<!doctype html><title>Error</title>", content_type="text/html")
            case "half":
                broken = {"broken": "-----BEGIN CERTIFICATE-----\nAAAA"}
                return web.json_response({**broken, **self.signer.certificates()}, headers=answer.headers)
            case "empty":
                return web.json_response({})
        return answer
