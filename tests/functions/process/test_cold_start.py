"""A cold start imports only the modules that the first message needs, because that message waits for it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.receiver.process import ROOT, ReceiverProcess
from tests.support.receiver.push import push_body

# The framework, the client's protobufs, keys and tokens, and the key server's HTTP: the first message needs all of it.
FRAMEWORK = ("functions_framework.aio", "uvicorn_worker", "h11", "msgspec.json", "ssl", "pybase64")
LIBRARIES = (*FRAMEWORK, "google.cloud.firestore", "google.auth.crypt", "grpc.aio")
COUNT = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
libraries = set(sys.modules)
import main
print(json.dumps([sorted(libraries), sorted(set(sys.modules) - libraries)]))
"""
OURS = {
    "main",
    "functions",
    *(f"functions.{path.stem}" for path in (ROOT / "functions").glob("*.py") if path.stem != "__init__"),
    "functions.tokens",
    *(f"functions.tokens.{path.stem}" for path in (ROOT / "functions/tokens").glob("*.py") if path.stem != "__init__"),
    *(
        "infra",
        "infra.errors",
        "infra.logs",
        "infra.messages",
        "infra.messages.cursor",
        "infra.messages.chunks",
        "infra.messages.field_names",
        "infra.messages.json_scalars",
        "infra.messages.message",
        "infra.messages.nearly_text",
        "infra.messages.severity",
        "infra.messages.trace",
        "infra.messages.visible_text",
        "infra.settings",
        "infra.settings.link_templates",
        "infra.settings.parsers",
        "infra.settings.settings_file",
        "infra.signed_token",
        "infra.strict_json",
    ),
    "infra.firestore",
    *(f"infra.firestore.{name}" for name in ("async_calls", "client", "encoding", "error_mapping", "message_writer")),
}


def test_importing_main_imports_only_what_the_first_message_needs() -> None:
    template = ReceiverProcess("127.0.0.1:1", "http://127.0.0.1:1/certs")
    environment = {**template.environment(), "PYTHONPATH": str(ROOT)}
    template.close()
    command = [sys.executable, "-c", COUNT, *LIBRARIES]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=60)
    libraries, added = map(set, json.loads(done.stdout))
    foreign = {name for name in added - OURS if name.partition(".")[0] not in sys.stdlib_module_names}
    assert not foreign, "a message does not need these"
    assert added >= OURS, "and these are ours"
    assert not {name for name in libraries if name.startswith(("google.cloud.pubsub", "web", "infra", "aiohttp"))}


def test_worker_runs_on_the_fast_event_loop_and_http_parser(receiver: ReceiverProcess, token: str) -> None:
    assert receiver.push(push_body("on-uvloop"), token).status == 204
    [worker] = receiver.workers()
    loaded = Path(f"/proc/{worker}/maps").read_text()
    assert ("uvloop/loop" in loaded, "httptools/parser" in loaded) == (True, True)
