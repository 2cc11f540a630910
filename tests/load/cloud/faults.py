"""The faults in force, and the route by which the harness orders them: ``POST /fault``."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import grpc
from aiohttp import web

from infra.local.rpc import RpcError


@dataclass
class Faults:
    """The faults in force, with their ends by this process's monotonic clock.

    Each call of Firestore asks ``before_call`` and ``after_write``; ``listen_orders`` holds a queue for each open
    Listen stream.
    """

    chance: random.Random
    duplicates: float = 0.0
    certificates: str = "ok"
    listen_orders: set["asyncio.Queue[str]"] = field(default_factory=set)
    _until: dict[str, float] = field(default_factory=dict)
    _status: dict[str, grpc.StatusCode] = field(default_factory=dict)
    _slow_seconds: float = 0.0

    def application(self) -> web.Application:
        """Return the application with the route."""
        app = web.Application()
        app.router.add_post("/fault", self._order)
        return app

    def is_on(self, name: str) -> bool:
        """Tell whether a fault is in force."""
        return time.monotonic() < self._until.get(name, 0.0)

    async def before_call(self, *, is_write: bool) -> None:
        """Delay or refuse a call of Firestore."""
        if is_write and self.is_on("slow"):
            await asyncio.sleep(self._slow_seconds)
        if self.is_on("refuse") or (is_write and self.is_on("refuse_writes")):
            name = "refuse" if self.is_on("refuse") else "refuse_writes"
            raise RpcError(self._status[name], "a fault on purpose")

    def after_write(self) -> None:
        """Lose the reply of a write that has happened."""
        if self.is_on("lose_replies"):
            raise RpcError(grpc.StatusCode.UNAVAILABLE, "the reply is lost on purpose")

    async def _order(self, request: web.Request) -> web.Response:
        order: dict[str, Any] = json.loads(await request.text())
        kind, seconds = str(order["kind"]), float(order.get("seconds", 0.0))
        match kind:
            case "duplicates":
                self.duplicates = float(order["fraction"])
            case "certificates":
                self.certificates = str(order["mode"])
                self._until[kind] = time.monotonic() + seconds
            case "cut" | "mute":
                for queue in self.listen_orders:
                    queue.put_nowait(str(order.get("status", "mute")))
            case "refuse" | "refuse_writes" | "slow" | "lose_replies":
                self._until[kind] = time.monotonic() + seconds
                self._status[kind] = grpc.StatusCode[str(order.get("status", "UNAVAILABLE"))]
                self._slow_seconds = float(order.get("delay", self._slow_seconds))
                if kind == "refuse":
                    for queue in self.listen_orders:
                        queue.put_nowait(self._status[kind].name)
            case _:
                return web.json_response({"error": f"unknown fault {kind!r}"}, status=400)
        return web.json_response({})
