"""The house's rules: which package may import which, and that importing does nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("main", "functions", "infra", "web")
# main.py -> functions -> infra <- web, and nobody outside infra/local knows it.
MAY_IMPORT = {
    "main": {"functions", "infra"},
    "functions": {"functions", "infra"},
    "infra": {"infra"},
    "web": {"web", "infra"},
    "infra.local": {"infra.local", "infra.settings", "infra.logs"},
}


def sources() -> list[Path]:
    return [ROOT / "main.py", *(path for part in PRODUCT[1:] for path in sorted((ROOT / part).rglob("*.py")))]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def imported(path: Path) -> Iterator[str]:
    """Every product module that a file imports, relative imports resolved."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            package = module_of(path).split(".")
            base = package[: len(package) - node.level + (path.name == "__init__.py")]
            yield ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from infra import settings" imports infra.settings
            yield from (
                f"{node.module}.{alias.name}" if node.module in PRODUCT else node.module for alias in node.names
            )


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_imports_follow_the_arrows(path: Path) -> None:
    module = module_of(path)
    house = "infra.local" if is_within(module, "infra.local") else module.partition(".")[0]
    ours = {name for name in imported(path) if name.partition(".")[0] in PRODUCT}
    wrong = {name for name in ours if not any(is_within(name, allowed) for allowed in MAY_IMPORT[house])}
    if house != "infra.local":
        wrong |= {name for name in ours if is_within(name, "infra.local")}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}; the arrows allow {sorted(MAY_IMPORT[house])}"


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
    threads = [one.name for one in threading.enumerate() if one is not threading.main_thread()]
    if threads:
        raise SystemExit(f"importing {current} started threads {threads}")
"""
# Imported first: what Google's libraries do at import is not ours to judge.
LIBRARIES = ["google.cloud.firestore", "google.pubsub_v1", "functions_framework.aio", "flask", "aiohttp"]


def test_importing_a_module_does_no_io() -> None:
    # main.py reads its settings when it is imported, and two files are programs, not modules.
    programs = {"main", "web.gunicorn.conf"}
    ours = [module_of(path) for path in sources() if path.name != "__main__.py"]
    wanted = [name for name in ours if name not in programs]
    found = subprocess.run(
        [sys.executable, "-B", "-c", WATCH, *LIBRARIES, "--", *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr[-800:]
