"""The version: one constant, which pyproject.toml reads."""

import re
import tomllib
from pathlib import Path

from infra.version import VERSION, version

ROOT = Path(__file__).resolve().parents[2]


def test_package_metadata_reads_the_version_constant() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in pyproject["project"]["dynamic"]
    assert pyproject["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "infra.version.VERSION"}
    assert version() == VERSION


def test_version_is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", version())
