"""Start the local cloud with faults, and with a mutant of a service if ``LOAD_MUTANT`` names one."""

import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from infra.local import __main__ as local
from infra.local import emulators, runner
from infra.local.http_server import HttpServer
from infra.local.processes.supervisor import Program
from infra.local.pubsub import subscription
from tests.load.cloud.certificates import FaultyEndpoints
from tests.load.cloud.faults import Faults
from tests.load.cloud.firestore import FaultyFirestore
from tests.load.cloud.pushes import DuplicatingPusher
from tests.load.mutants import MUTANTS


def main() -> int:
    """Run until SIGTERM; the address that takes faults is in the file ``LOAD_FAULTS_FILE``."""
    faults = Faults(random.Random(os.environ.get("LOAD_SEED", "")))
    _change(emulators, "FirestoreServer", lambda _: partial(FaultyFirestore, faults))
    _change(subscription, "Pusher", lambda _: partial(DuplicatingPusher, faults))
    _change(runner, "HttpEndpoints", lambda _: partial(FaultyEndpoints, faults))
    _change(runner, "start_local", lambda start: partial(_serving, start, faults))
    if mutant := os.environ.get("LOAD_MUTANT", ""):
        _change(runner, "_services", lambda services: partial(_mutated, services, mutant))
    return local.main()


def _change(module: ModuleType, name: str, change: Callable[[Any], object]) -> None:
    setattr(module, name, change(getattr(module, name)))


async def _serving(start: Any, faults: Faults, *arguments: Any) -> emulators.Backend:
    """Start the emulators, and the route that takes faults."""
    backend: emulators.Backend = await start(*arguments)
    site = await HttpServer.start(faults.application())
    Path(os.environ["LOAD_FAULTS_FILE"]).write_text(site.url)  # noqa: ASYNC240 - once, at the start

    async def close() -> None:
        await site.close()
        await backend.close()

    return replace(backend, close=close)


def _mutated(services: Callable[..., list[Program]], name: str, *arguments: Any) -> list[Program]:
    mutant = MUTANTS[name]
    return [replace(one, command=mutant.command_of(one.name, one.command)) for one in services(*arguments)]


if __name__ == "__main__":
    sys.exit(main())
