"""The documentation is true: settings, status codes, make targets and links as the code has them."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra import settings
from infra.query import PREFIXES, parse
from infra.settings.parsers import Setting
from tests.support.local_cloud import Cloud

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """The cells of a table under a heading of README.md, its head left out."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    tables = [block for block in section.split("\n\n") if block.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[table].splitlines()[2:]]


def test_the_settings_table_is_what_the_code_reads() -> None:
    used_by = {"both": settings.COMMON, "receiver": settings.RECEIVER, "viewer": settings.VIEWER}
    expected = [
        [f"`{row.name}`", service, default_of(row), row.meaning] for service, table in used_by.items() for row in table
    ]
    assert rows("Settings") == expected


def default_of(row: Setting) -> str:
    if row.default is None:
        return "required"
    return f"`{row.default}`" if row.default else ""


def test_every_example_of_the_filter_language_is_one() -> None:
    now = datetime.now(UTC)
    examples = [row[0].strip("`") for row in rows("Filter language")]
    for example in examples:
        assert len(parse(example, now).terms) == 1, example
    further = " ".join(row[1] for row in rows("Filter language"))
    for example in re.findall(r"`([\w.*-]+[=~:][\w.*-]*)`", further):
        assert len(parse(example, now).terms) == 1, example
    assert {word.partition(":")[0] for word in examples if ":" in word.partition('"')[0]} == set(PREFIXES)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert named <= targets, f"README.md names {sorted(named - targets)}, which the Makefile does not have"


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing, f"{page.name} links to {missing}"


def test_named_files_exist() -> None:
    named = set(re.findall(r"`((?:functions|infra|web|tests|terraform)/[\w./-]*|\w+\.py)`", README))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"README.md names {missing}"


def test_the_ready_files_keys_are_documented(cloud: Cloud) -> None:
    documented = {key for row in rows("The local cloud", 1) for key in re.findall(r"`(\w+)`", row[0])}
    assert documented == set(json.loads(cloud.ready_file.read_text()))


def test_the_local_clouds_options_are_documented() -> None:
    documented = {re.findall(r"--[a-z-]+", row[0])[0] for row in rows("The local cloud")}
    found = subprocess.run(
        [sys.executable, "-m", "infra.local", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert documented == set(re.findall(r"^ +(?:-h, )?(--[a-z-]+)", found.stdout, re.MULTILINE)) - {"--help"}


def test_no_absolute_paths_of_a_developers_machine() -> None:
    found = re.findall(r"(?:/home/|/root/|/work/|/Users/)\S+", README)
    assert not found
