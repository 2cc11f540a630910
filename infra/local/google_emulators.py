"""Google's own emulators, started with java from the Cloud SDK that gcloud belongs to."""

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from infra.local.emulators import Backend
from infra.local.processes.ports import free_port
from infra.local.processes.supervisor import Program, StartError

START_SECONDS = 60.0

StartPrograms = Callable[[list[Program], float], Awaitable[None]]


def find_emulators() -> tuple[str, Path, Path]:
    """Return java, and the jars of the Pub/Sub and Firestore emulators.

    Raises StartError that names the missing part.
    """
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if not gcloud or not java:
        missing = "gcloud" if not gcloud else "java"
        raise StartError(
            f"Google's emulators need gcloud and Java, and {missing} is not on PATH. Use --emulators local."
        )
    platform = Path(gcloud).resolve().parent.parent / "platform"
    pubsub = next(platform.glob("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"), None)
    firestore = platform / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
    if pubsub is None or not firestore.exists():
        raise StartError(
            f"There are no emulators in {platform}; "
            "gcloud components install pubsub-emulator cloud-firestore-emulator beta. Or use --emulators local."
        )
    return java, pubsub, firestore


async def start_google(start: StartPrograms, directory: Path) -> Backend:
    """Start both emulators; they answer when this returns. ``start`` runs programs until the local cloud ends."""
    java, pubsub_jar, firestore_jar = find_emulators()
    pubsub_port, firestore_port = free_port(), free_port()
    pubsub = (java, "-jar", str(pubsub_jar), "--host=127.0.0.1", f"--port={pubsub_port}")
    # The main class, as in the SDK's script. The emulator has messages in English only.
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    firestore = (java, "-Duser.language=en", "-cp", str(firestore_jar), main)
    listen = ("start", "--host=127.0.0.1", f"--port={firestore_port}")
    await start(
        [
            Program("pubsub-emulator", pubsub, os.environ, directory, pubsub_port),
            Program("firestore-emulator", (*firestore, *listen), os.environ, directory, firestore_port),
        ],
        START_SECONDS,
    )
    return Backend(f"127.0.0.1:{pubsub_port}", f"127.0.0.1:{firestore_port}", None, _nothing)


async def _nothing() -> None:
    """The emulators end with the other programs."""
