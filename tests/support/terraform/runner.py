"""Runs the real terraform with the providers' real schemas and without a cloud."""

import ast
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.offline.schemas import SchemasError, schemas_of
from tests.support.terraform.offline.serve import providers

ROOT = Path(__file__).absolute().parents[3]
DEPLOYMENT = ROOT / "terraform"
MODULE = DEPLOYMENT / "modules/subscope"
# The module's address in the plans and states of the root.
CALL = "module.subscope."
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
SCHEMAS = CACHES / "subscope-terraform"
CHECKER_PINS = ROOT / "tests/terraform/pins/checkers.txt"

PROJECT = "my-project"
NUMBER = "123456789012"
# The files that the module reads, and those that terraform would load by itself.
_READ = ("terraform", ".dockerignore", "main.py", "requirements.txt")
_CODE = ("functions", "infra", "web")
_NEVER = ("*.tfvars", "*.tfvars.json", "*.tfstate*", "*.tfplan", "backend.tf", ".terraform", "__pycache__", "*.pyc")
_THEIRS = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE")
IMAGE = f"europe-west1-docker.pkg.dev/{PROJECT}/subscope/viewer@sha256:{'0' * 64}"


class Terraform:
    """terraform with a separate copy of the root and the module and a data directory, independent of the working tree.

    ``folder`` is that of the root that is run, below ``terraform/``.

    Without ``schemas`` it has the real providers, and can only validate: a plan would ask Google.
    """

    def __init__(
        self, directory: Path, schemas: Sequence[Mapping[str, Any]] = (), root: Path = ROOT, folder: str = "."
    ) -> None:
        self._directory = directory
        self._schemas = schemas
        own = {name: value for name, value in os.environ.items() if not name.startswith(_THEIRS)}
        self._environ = {**own, "TF_DATA_DIR": str(directory / "data"), "TF_IN_AUTOMATION": "1"}
        self.root = copy_deployment(root, directory / "tree") / folder
        self.plans = bool(schemas)

    def run(
        self,
        *arguments: str,
        ok: tuple[int, ...] = (0,),
        emulator: str = "",
        existing: ExistingResources | None = None,
        programs: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a subcommand on the root; fail with its output unless the exit code is in ``ok``.

        ``emulator`` is the URL of a Pub/Sub emulator. ``existing`` remembers what exists, for several runs.
        ``programs`` is a directory that comes first in the search path.
        """
        path = f"{programs}:{self._environ['PATH']}" if programs else self._environ["PATH"]
        return self._run(self.root, arguments, {"PATH": path}, ok, emulator, existing)

    def test_module(self) -> subprocess.CompletedProcess[str]:
        """Run the module's own tests in its folder, as cloudbuild.yaml does."""
        folder = self.root / MODULE.relative_to(DEPLOYMENT)
        environ = {"TF_DATA_DIR": str(self._directory / "data-of-the-module")}
        self._run(folder, ("init", "-backend=false", "-input=false"), environ)
        return self._run(folder, ("test", "-no-color"), environ)

    def _run(
        self,
        folder: Path,
        arguments: Sequence[str],
        changed: Mapping[str, str],
        ok: tuple[int, ...] = (0,),
        emulator: str = "",
        existing: ExistingResources | None = None,
    ) -> subprocess.CompletedProcess[str]:
        command = ["terraform", f"-chdir={folder}", *arguments]
        with ExitStack() as stack:
            attached = stack.enter_context(providers(self._schemas, emulator, existing)) if self._schemas else {}
            environ = {**self._environ, **attached, **changed}
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environ)
        assert done.returncode in ok, f"{' '.join(arguments)}: {_plain(done.stdout + done.stderr)[-4000:]}"
        return done

    def state(self, name: str) -> Path:
        """Return the path of a state."""
        return self._directory / f"{name}.tfstate"

    def plan(self, name: str, text: str) -> dict[str, Any]:
        """Return the plan, as JSON, of the root with the variables in ``text`` (the content of a tfvars file)."""
        if not self.plans:
            pytest.skip("the providers' schemas are not here: a plan would ask Google")
        variables, out = self._directory / f"{name}.tfvars", self._directory / f"{name}.tfplan"
        variables.write_text(text)
        self.run("plan", "-input=false", f"-var-file={variables}", f"-out={out}", f"-state={self.state(name)}")
        plan: dict[str, Any] = json.loads(self.run("show", "-json", str(out)).stdout)
        return plan


def copy_deployment(root: Path, to: Path) -> Path:
    """Copy the root and the module of the repository at ``root`` and files that they read; return the copied root.

    Files that terraform would load by itself stay behind: local values, backend and state. The code's first files stand
    for all of it: with 400 files more, a plan costs four times as much. ``add_code`` copies them.
    """
    for name in _READ:
        if (root / name).is_dir():
            shutil.copytree(root / name, to / name, ignore=shutil.ignore_patterns(*_NEVER))
        else:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, to / name)
    for name in _CODE:
        (to / name).mkdir(parents=True)
        for path in (root / name).glob("__init__.py"):
            shutil.copy(path, to / name)
    return to / "terraform"


def add_code(terraform: Terraform) -> None:
    """Copy all code beside a copied deployment, for plans about the code."""
    for name in _CODE:
        to = terraform.root.parent / name
        shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns(*_NEVER), dirs_exist_ok=True)


def find_terraform(directory: Path, root: Path = ROOT, folder: str = ".") -> Terraform:
    """Return terraform, initialised; skip with a sentence if it or its providers are missing.

    ``folder`` is that of the root, below ``terraform/``. A root that cannot be initialised fails: with stub providers
    only its files can be wrong, and without them only an error of the network is a reason to skip.
    """
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    init = ("init", "-backend=false", "-input=false")
    try:
        offline = Terraform(directory, schemas_of(_used_types(folder), SCHEMAS), root, folder)
    except SchemasError as exc:
        return _initialised_online(Terraform(directory, root=root, folder=folder), init, str(exc))
    offline.run(*init)
    return offline


def _initialised_online(online: Terraform, init: tuple[str, ...], problem: str) -> Terraform:
    done = online.run(*init, ok=(0, 1))
    if done.returncode and says_no_registry(done.stderr):
        pytest.skip(f"there is no provider registry here, and {problem}")
    assert not done.returncode, f"init: {_plain(done.stderr)[-4000:]}"
    return online


def says_no_registry(stderr: str) -> bool:
    """Return whether terraform's output (wrapped, coloured) reports a registry or network that does not answer."""
    words = " ".join(re.sub("[│╷╵]", " ", _plain(stderr)).split())
    return (
        re.search(r"could not (connect to|query provider) registry|dial tcp|i/o timeout|TLS handshake", words)
        is not None
    )


def resources(plan: Mapping[str, Any], kind: str = "") -> Iterator[dict[str, Any]]:
    """Yield the planned resources, with their addresses in the module; of one type if ``kind`` is given."""
    for resource in _of_all_modules(plan["planned_values"]["root_module"]):
        if resource["mode"] == "managed" and (not kind or resource["type"] == kind):
            yield {**resource, "address": resource["address"].removeprefix(CALL)}


def read_data(plan: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the data sources of one type that the plan has read."""
    for resource in _of_all_modules(plan["prior_state"]["values"]["root_module"]):
        if resource["mode"] == "data" and resource["type"] == kind:
            yield resource


def actions(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what the plan does with each resource of the module, by its address in the module."""
    changes: list[dict[str, Any]] = plan.get("resource_changes", [])
    return {entry["address"].removeprefix(CALL): entry["change"]["actions"] for entry in changes}


def _of_all_modules(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _of_all_modules(child)


def values(plan: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Return the planned values of the resource at ``address``."""
    for resource in resources(plan):
        if resource["address"] == address:
            planned: dict[str, Any] = resource["values"]
            return planned
    raise AssertionError(f"{address} is not planned")


def imported_from(entry: str) -> set[str]:
    """Return the paths of all project modules that ``entry`` imports, directly or indirectly, and of ``entry``."""
    wanted, seen = [entry], set()
    while wanted:
        path = wanted.pop()
        if path in seen or not (ROOT / path).exists():
            continue
        seen.add(path)
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            for module in _imported(node):
                where = module.replace(".", "/")
                wanted += [f"{where}.py", f"{where}/__init__.py"]
    return seen


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            imported = [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names):
            # A name imported from a package may be a module.
            imported = [module, *(f"{module}.{alias.name}" for alias in names)]
        case _:
            imported = []
    return [name for name in imported if name.partition(".")[0] in ("functions", "infra", "web")]


def install(requirements: Path, environment: Path) -> None:
    """Make a virtual environment of these requirements alone, without pip, as web/Dockerfile does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=60)
    python = str(environment / "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--require-hashes"]
    command = [*pip, "--no-compile", "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-1000:]


_UPLOADS = """
import sys
sys.path[:0] = [sys.argv[1] + "/lib", sys.argv[1] + "/lib/third_party"]
from googlecloudsdk.command_lib.util import gcloudignore
chosen = gcloudignore.GetFileChooserForDir(sys.argv[2], write_on_disk=False, ignore_file=sys.argv[3])
print("\\n".join(chosen.GetIncludedFiles(sys.argv[2], include_dirs=False)))
"""


def gcloud_uploads(directory: Path, ignore_file: str) -> set[str]:
    """Return the files of ``directory`` that ``gcloud builds submit --ignore-file`` uploads, by gcloud's own code."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    sdk = Path(gcloud).resolve().parent.parent
    command = [sys.executable, "-c", _UPLOADS, str(sdk), str(directory), ignore_file]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if listed.returncode:
        pytest.skip(f"this gcloud keeps its list of files elsewhere: {listed.stderr[-200:]}")
    return set(listed.stdout.split("\n")) - {""}


def checkers() -> Path:
    """Return the directory of the checkers' programs; skip if they cannot be installed."""
    directory = CACHES / f"subscope-checkers-{sha256(CHECKER_PINS.read_bytes()).hexdigest()[:16]}"
    done = directory / "installed"
    CACHES.mkdir(parents=True, exist_ok=True)
    # Two processes of xdist can want them at once.
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            try:
                subprocess.run([sys.executable, "-m", "venv", "--clear", directory], check=True, timeout=60)
                install = [str(directory / "bin/pip"), "install", "--quiet", "--require-hashes"]
                command = [*install, "--requirement", str(CHECKER_PINS)]
                subprocess.run(command, check=True, timeout=300, capture_output=True)
            except (subprocess.SubprocessError, OSError) as exc:
                pytest.skip(f"the checkers of {CHECKER_PINS.name} cannot be installed here: {exc}")
            done.touch()
    return directory / "bin"


def _used_types(folder: str) -> set[str]:
    """Return the types of the resources and data sources of a root and of the module."""
    files = [*(DEPLOYMENT / folder).glob("*.tf"), *MODULE.glob("*.tf")]
    sources = "\n".join(path.read_text() for path in files)
    return set(re.findall(r'^(?:resource|data|ephemeral) "(\w+)"', sources, re.MULTILINE))


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
