"""A request whose body arrives in parts, without a server."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request


class PartsRequest:
    """A POST that brings ``parts``, and then ends or stalls for good."""

    def __init__(self, *parts: bytes, stall: bool = False) -> None:
        self._parts, self._stall = list(parts), stall
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._receive)

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._parts and self._stall:
            await asyncio.Event().wait()
        part = self._parts.pop(0) if self._parts else b""
        return {"type": "http.request", "body": part, "more_body": self._stall or bool(self._parts)}
