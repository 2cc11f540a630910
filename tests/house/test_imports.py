"""Rules about imports that the contracts of import-linter (pyproject.toml) cannot hold."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# main.py reads its settings at import, and gunicorn runs its configuration as a program.
PROGRAMS = {"__main__.py", "gunicorn.conf.py"}
WATCH = """
import importlib, sys, threading
FORBIDDEN = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "os.remove"}
current = ""
def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if current and (event in FORBIDDEN or writes):
        raise SystemExit(f"importing {current} did {event} {arguments!r}")
sys.addaudithook(watch)
libraries, _, ours = " ".join(sys.argv[1:]).partition(" -- ")
for name in libraries.split():
    importlib.import_module(name)
for current in ours.split():
    importlib.import_module(current)
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if threads:
        raise SystemExit(f"importing {current} started threads {threads}")
current = ""
"""
# Imported first: their I/O at import is Google's and not judged here.
LIBRARIES = ["google.cloud.firestore", "google.pubsub_v1", "functions_framework.aio", "flask", "aiohttp"]


def modules() -> list[str]:
    paths = [path for package in ("functions", "infra", "web") for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.name not in PROGRAMS
    ]


def test_main_imports_functions_and_infra_alone() -> None:
    tree = ast.parse((ROOT / "main.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    packages = {name.partition(".")[0] for name in imported}
    assert packages & {"functions", "infra", "web", "tests"} == {"functions", "infra"}
    assert not [name for name in imported if name.startswith("infra.local")]


def test_importing_a_module_does_no_io() -> None:
    importing = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, *LIBRARIES, "--", *modules()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert importing.returncode == 0, importing.stderr[-800:]
