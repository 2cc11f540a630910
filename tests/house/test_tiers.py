"""The tiers of the tests, the order in which processes take them, and the arrows between test modules."""

import ast
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.support.sharing import next_scope, scope_of
from tests.support.tiers import TIERS, Guard, tier_of

TESTS = Path(__file__).absolute().parents[1]


@pytest.mark.parametrize(
    ("path", "fixtures", "tier"),
    [
        ("tests/infra/query/test_query.py", (), "unit"),
        ("tests/infra/query/test_query.py", ("cloud",), "service"),
        ("tests/functions/process/test_cold_start.py", (), "service"),
        ("tests/house/test_imports.py", (), "service"),
        ("tests/browser/list/test_filters.py", ("cloud",), "browser"),
        ("tests/faults/test_receiver_store.py", (), "faults"),
        ("tests/terraform/docs/test_readme.py", (), "deployment"),
    ],
)
def test_tier_follows_folder_and_fixtures(path: str, fixtures: Collection[str], tier: str) -> None:
    assert tier_of(path, fixtures) == tier


def test_makefile_has_a_target_for_each_tier() -> None:
    assert f"\n{' '.join(TIERS)}: setup-tests\n" in (TESTS.parent / "Makefile").read_text()


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    yield guard
    guard.is_on = False


def test_guard_refuses_ports_and_processes(guard: Guard) -> None:
    guard.is_on = True
    with socket.socket() as probe, pytest.raises(AssertionError, match=r"socket\.bind"):
        probe.bind(("127.0.0.1", 0))
    with pytest.raises(AssertionError, match=r"subprocess\.Popen"):
        subprocess.run([sys.executable, "--version"], check=False)


@pytest.mark.parametrize(
    ("worker", "scope"),
    [(0, "tests/browser/a.py"), (1, "tests/faults/a.py"), (2, "tests/browser/a.py")],
)
def test_worker_takes_its_favourite_folder_first(worker: int, scope: str) -> None:
    scopes = ["tests/web/a.py", "tests/browser/a.py", "tests/faults/a.py"]
    assert next_scope(scopes, {"tests/web/a.py": 100.0}, worker) == scope


def test_worker_takes_the_longest_file_first() -> None:
    scopes = ["tests/web/a.py", "tests/web/b.py", "tests/web/new.py", "tests/faults/a.py"]
    assert next_scope(scopes, {"tests/web/a.py": 1.0, "tests/web/b.py": 9.0, "tests/faults/a.py": 99.0}, 0) == scopes[1]


def test_plans_of_the_module_stay_in_one_process() -> None:
    nodes = ["tests/terraform/test_iam.py::test_a", "tests/terraform/docs/test_readme.py::test_b[x]"]
    assert {scope_of(node) for node in nodes} == {"terraform"}
    assert scope_of("tests/terraform/build/test_build.py::test_c") == "tests/terraform/build/test_build.py"


def test_modules_import_no_test_module_and_no_conftest() -> None:
    wrong = [
        f"{path.relative_to(TESTS)} imports {module}"
        for path in TESTS.rglob("*.py")
        for module in imported(path)
        if module.startswith("tests.") and module.rpartition(".")[2].startswith(("test_", "conftest"))
    ]
    assert not wrong


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
