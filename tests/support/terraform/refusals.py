"""The errors of the module's variables, planned without its resources: no provider is needed."""

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.terraform.runner import MODULE, PROJECT

Refusals = dict[str, list[str]]
# A value that the validations use, beside the variables.
_SIZES = re.compile(r"^  memory_mib = \{.*?^  \}$", re.MULTILINE | re.DOTALL)


def planned_refusals(directory: Path, calls: Mapping[str, Mapping[str, str]]) -> Refusals:
    """Plan a root that calls the module's variables once for each of ``calls``; return the errors of each call.

    A call has the name of a module in HCL, and the values of its variables, also in HCL.
    """
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    module = directory / "module"
    module.mkdir()
    shutil.copy(MODULE / "variables.tf", module)
    (sizes,) = _SIZES.findall("\n".join(path.read_text() for path in MODULE.glob("*.tf")))
    (module / "locals.tf").write_text(f"locals {{\n{sizes}\n}}\n")
    _write(directory, calls)
    _run(directory, "init")
    refusals: Refusals = {}
    # Terraform checks first the values alone, then those that depend on other variables, if the first are correct.
    while found := _planned(directory):
        refusals |= found
        _write(directory, {name: values for name, values in calls.items() if name not in refusals})
    return refusals


def _planned(directory: Path) -> Refusals:
    refusals: Refusals = defaultdict(list)
    for line in _run(directory, "plan", "-json", ok=(0, 1)).splitlines():
        error = json.loads(line).get("diagnostic")
        if error:
            message, _, place = error["detail"].partition("\n\nThis was checked by the validation rule at ")
            assert place, f"{error['summary']}: {error['detail']}"
            refusals[error["snippet"]["context"].split('"')[1]].append(message)
    return dict(refusals)


def _write(directory: Path, calls: Mapping[str, Mapping[str, str]]) -> None:
    (directory / "main.tf").write_text("".join(_call(name, values) for name, values in calls.items()))


def _call(name: str, values: Mapping[str, str]) -> str:
    arguments = {"source": '"./module"', "project": f'"{PROJECT}"', **values}
    return "\n".join([f'module "{name}" {{', *(f"  {key} = {value}" for key, value in arguments.items()), "}\n"])


def _run(directory: Path, subcommand: str, *options: str, ok: tuple[int, ...] = (0,)) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environ = {**own, "CHECKPOINT_DISABLE": "1"}
    command = ["terraform", f"-chdir={directory}", subcommand, "-input=false", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode in ok, done.stderr
    return done.stdout
