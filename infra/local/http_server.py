"""Serve an aiohttp application on this machine's loopback."""

from aiohttp import web

from infra.local.loopback_only import loopback_only


class HttpServer:
    """A running server; ``url`` has no trailing slash."""

    def __init__(self, runner: web.AppRunner, url: str) -> None:
        self._runner = runner
        self.url = url

    @classmethod
    async def start(cls, application: web.Application) -> "HttpServer":
        """Listen on any free port, for programs of this machine only."""
        application.middlewares.append(loopback_only)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return cls(runner, f"http://{host}:{port}")

    async def close(self) -> None:
        """Stop listening; open requests get half a second."""
        await self._runner.cleanup()
