"""SKIPS_ALLOWED=0: no test is skipped in silence, and a skip stays a skip everywhere else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import are_allowed

ROOT = Path(__file__).resolve().parents[2]
# A plugin of pytest's command line has its hooks in a module.
PLUGIN = "from tests.support.skips import SkipsAreFailures\n"
REGISTER = "\n\ndef pytest_configure(config):\n    config.pluginmanager.register(SkipsAreFailures())\n"
SKIPS = """
import pytest

@pytest.fixture
def tool():
    pytest.skip("the tool is missing")

def test_passes():
    pass

def test_of_a_tool(tool):
    pass

@pytest.mark.skip(reason="marked")
def test_marked():
    pass

def test_halfway():
    pytest.skip("halfway")

@pytest.mark.xfail(reason="expected")
def test_expected():
    raise AssertionError

def test_expected_halfway():
    pytest.xfail("expected halfway")
"""


def run(*arguments: str, directory: Path = ROOT, **environ: str) -> tuple[int, str]:
    """Run pytest in a process; return its exit code and what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SKIPS_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", *arguments]
    done = subprocess.run(
        command, cwd=directory, env={**inherited, **environ}, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("processes", [(), ("-n", "1", "--dist", "loadscope")], ids=["alone", "xdist"])
@pytest.mark.parametrize("allowed", ["1", "0"])
def test_missing_tool_skips_or_fails(processes: tuple[str, ...], allowed: str) -> None:
    test = "tests/terraform/test_module.py::test_module_is_formatted"
    # Without any program in the search path, terraform is not found.
    status, printed = run(test, *processes, PATH="/nonexistent", SKIPS_ALLOWED=allowed)
    assert "terraform is not installed here" in printed
    if allowed == "1":
        assert (status, "1 skipped" in printed, "does not allow" in printed) == (0, True, False), printed
    else:
        assert (status, "skipped" in printed.splitlines()[-1]) == (1, False), printed
        assert "SKIPS_ALLOWED=0 does not allow this skip" in printed


@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_each_kind_of_skip_fails_and_an_expected_failure_does_not(tmp_path: Path, processes: tuple[str, ...]) -> None:
    (tmp_path / "conftest.py").write_text(PLUGIN + REGISTER)
    (tmp_path / "test_kinds.py").write_text(SKIPS)
    status, printed = run("-rf", "test_kinds.py", *processes, directory=tmp_path, PYTHONPATH=str(ROOT))
    assert status == 1
    # The skip of a fixture is an error of the test's set-up, as every failure there.
    assert re.search(r"1 failed, 1 passed, 2 xfailed, 2 errors", printed), printed
    assert all(reason in printed for reason in ("the tool is missing", "marked", "halfway"))


def test_skipped_file_fails(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(PLUGIN + REGISTER)
    (tmp_path / "test_file.py").write_text('import pytest\n\npytest.importorskip("no_such_package")\n')
    status, printed = run("test_file.py", directory=tmp_path, PYTHONPATH=str(ROOT))
    assert status == 2
    assert "could not import 'no_such_package'" in printed
    assert "SKIPS_ALLOWED=0 does not allow this skip" in printed


def test_skips_are_allowed_by_default() -> None:
    assert are_allowed({})
    assert are_allowed({"SKIPS_ALLOWED": "1"})
    assert not are_allowed({"SKIPS_ALLOWED": "0"})


@pytest.mark.parametrize("value", ["", "no", "false", "00"])
def test_other_value_is_an_error(value: str) -> None:
    with pytest.raises(pytest.UsageError, match=f"SKIPS_ALLOWED must be 0 or 1, found '{value}'"):
        are_allowed({"SKIPS_ALLOWED": value})
