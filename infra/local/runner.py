"""Run the local cloud: start all parts in order, keep the ready file current, end all parts."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc

from infra.local.emulators import Backend, start_local
from infra.local.google_emulators import start_google
from infra.local.http_endpoints import HttpEndpoints
from infra.local.http_server import HttpServer
from infra.local.journal import Journal, opened
from infra.local.processes import ready_file
from infra.local.processes.ports import free_port
from infra.local.processes.supervisor import Child, Program, Reaper, StartError
from infra.local.relays.invoker_check import InvokerCheck
from infra.local.relays.signing_relay import SigningRelay
from infra.local.run_config import RunConfig
from infra.local.samples import publish_samples
from infra.local.token_signer import Signer
from infra.local.topics import SERVICE_ACCOUNT, PubsubChannel

ROOT = Path(__file__).absolute().parents[2]
START_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """The options of the command line. ``emulators`` is ``local`` or ``google``, ``invoker`` is ``public`` or ``iam``.

    Child processes inherit ``environ``.
    """

    ready_file: Path
    viewer_port: int
    emulators: str
    invoker: str
    samples: bool
    journal: Path | None
    environ: Mapping[str, str]


class LocalCloud:
    """An asynchronous context manager: inside the block all parts answer; after it no process is left."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = contextlib.AsyncExitStack()
        self._signer = Signer()
        self._journal = Journal()
        self._children: list[Child] = []
        self._plan: RunConfig | None = None
        self._logs = options.ready_file.absolute().parent / "logs"

    async def __aenter__(self) -> RunConfig:
        try:
            return await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> RunConfig:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(ready_file.held(self._options.ready_file))
        self._options.ready_file.unlink(missing_ok=True)  # a killed run leaves it behind
        self._journal = self._stack.enter_context(opened(self._options.journal))
        self._reaper = Reaper()
        self._stack.callback(self._reaper.close)
        self._stack.push_async_callback(self._stop_children)
        backend = await self._start_backend()
        self._stack.push_async_callback(backend.close)
        plan = await self._start_sites(backend)
        channel = PubsubChannel(backend.pubsub)
        self._stack.push_async_callback(channel.close)
        try:
            await channel.make_resources(plan.push_endpoint, plan.audience)
        except grpc.RpcError as exc:
            raise StartError(f"Pub/Sub did not create the topics and subscriptions: {exc}") from exc
        await self._start_programs(_services(plan, self._options.environ), START_SECONDS)
        await _visit(plan.viewer)
        self._stack.callback(self._options.ready_file.unlink, missing_ok=True)
        self._plan = plan
        self._write_ready_file()
        if self._options.samples:
            samples = asyncio.create_task(_publish_samples(channel))
            self._stack.callback(samples.cancel)
        return plan

    async def _start_backend(self) -> Backend:
        if self._options.emulators == "google":
            return await start_google(self._start_programs, self._logs)
        return await start_local(self._signer, self._journal)

    async def _start_sites(self, backend: Backend) -> RunConfig:
        receiver = f"http://127.0.0.1:{free_port()}"
        audience = await self._audience(receiver)
        desk = HttpEndpoints(self._signer, SERVICE_ACCOUNT, audience, backend.backlog, self._journal)
        site = await HttpServer.start(desk.application())
        self._stack.push_async_callback(site.close)
        return RunConfig(
            emulators=self._options.emulators,
            invoker=self._options.invoker,
            viewer=f"http://127.0.0.1:{self._options.viewer_port}",
            receiver=receiver,
            audience=audience,
            push_endpoint=await self._push_endpoint(audience),
            pubsub=backend.pubsub,
            firestore=backend.firestore,
            desk=site.url,
            secret_key=secrets.token_urlsafe(48),
            admin_password=secrets.token_urlsafe(18),
        )

    async def _audience(self, receiver: str) -> str:
        """Return where tokens are checked first, which is their audience: the receiver, or the check in front of it."""
        if self._options.invoker == "public":
            return receiver
        return await self._start_relay(InvokerCheck(self._signer.certificates, f"{receiver}/", SERVICE_ACCOUNT))

    async def _push_endpoint(self, audience: str) -> str:
        if self._options.emulators == "local":
            return f"{audience}/"
        return await self._start_relay(SigningRelay(self._signer, f"{audience}/", SERVICE_ACCOUNT, audience)) + "/"

    async def _start_relay(self, relay: InvokerCheck | SigningRelay) -> str:
        self._stack.push_async_callback(relay.close)
        site = await HttpServer.start(relay.application())
        self._stack.push_async_callback(site.close)
        return site.url

    async def _start_programs(self, programs: list[Program], seconds: float) -> None:
        started = [Child(program, self._logs, self._reaper, _say, self._write_ready_file) for program in programs]
        self._children += started
        for child in started:
            await child.start()
        await asyncio.gather(*(child.ready(seconds) for child in started))

    async def _stop_children(self) -> None:
        await asyncio.gather(*(child.stop() for child in self._children))

    def _write_ready_file(self) -> None:
        if self._plan:
            processes = {child.name: child.pid for child in self._children}
            ready_file.write(self._options.ready_file, self._plan.ready(processes))


async def _visit(viewer: str) -> None:
    """Open the sign-in page: the first visit creates the first administrator if there is no user yet."""
    async with aiohttp.ClientSession() as http, http.get(f"{viewer}/login") as answer:
        await answer.read()


def _services(plan: RunConfig, environ: Mapping[str, str]) -> list[Program]:
    """The receiver and the viewer, started as in production (terraform/)."""
    environment = {**environ, **plan.environment()}
    receiver_port = int(plan.receiver.rpartition(":")[2])
    viewer_port = int(plan.viewer.rpartition(":")[2])
    receive = ("functions_framework", "--target", "receive", "--host", "127.0.0.1", "--port", str(receiver_port))
    view = ("gunicorn", "--config", "web/gunicorn.conf.py", "--bind", f"127.0.0.1:{viewer_port}", "web:create_app()")
    return [
        Program("receiver", (sys.executable, "-m", *receive), environment, ROOT, receiver_port),
        Program("viewer", (sys.executable, "-m", *view), environment, ROOT, viewer_port),
    ]


async def _publish_samples(channel: PubsubChannel) -> None:
    try:
        await publish_samples(channel.publish)
    except grpc.RpcError as exc:
        _say(f"Publishing sample messages stopped, because Pub/Sub refused one: {exc}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
