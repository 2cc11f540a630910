"""terraform/README.md is true: its examples plan, its commands and flags exist, its tables are those of the code."""

import hashlib
import json
import re
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.message import document_id
from terraform.costs import ROWS, table
from tests.terraform.stage import MODULE, README, ROOT, Terraform, resources
from tests.terraform.test_indexes import held_indexes, overrides, stored_fields

TEXT = README.read_text()
# Loops, redirections and what else is not the command's own.
_SHELL_WORDS = {"do", "done", "|", "&&", ";"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def table_of(title: str) -> list[list[str]]:
    """The rows of the first table after a heading, without its head."""
    section = TEXT.split(f"\n## {title}\n", 1)[1]
    lines = section[section.index("\n|") :].strip().splitlines()
    rows = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


# Examples


@pytest.mark.parametrize("example", blocks("hcl"), ids=lambda text: hashlib.sha256(text.encode()).hexdigest()[:6])
def test_every_example_is_planned(terraform: Terraform, example: str) -> None:
    assert example.startswith("# terraform.tfvars\n"), "an example is a whole terraform.tfvars"
    plan = terraform.plan("example", example)
    named = re.findall(r"^  (\w+)\s+= \{ ?(?:topic|$)", example, re.MULTILINE) or ["builds-monitor"]
    found = {one["index"] for one in resources(plan, "google_pubsub_subscription") if one["name"] == "monitored"}
    assert found == set(named)


# Commands


def commands() -> Iterator[str]:
    """Every gcloud command: of the README, of the smoke test, of the module and of cloudbuild.yaml's own advice."""
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from re.findall(r"\bgcloud [^|;]*", line)
    yield from re.findall(r"^gcloud .*", (MODULE / "smoke_test.sh.tftpl").read_text(), re.MULTILINE)
    yield from re.findall(r"gcloud builds submit --.*", (ROOT / "cloudbuild.yaml").read_text())
    applied = re.search(r'"gcloud builds submit \.".*?\]\)', (MODULE / "build.tf").read_text(), re.DOTALL)
    assert applied
    yield " ".join(
        json.loads(f'"{part}"') for part in re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(r"\$\{[^}]*\}", "x", applied[0]))
    )
    outputs = re.search(r'"(gcloud secrets versions access [^"]*)\$', (MODULE / "outputs.tf").read_text())
    assert outputs
    yield outputs[1] + "x"


@pytest.fixture(scope="module")
def gcloud_tree() -> dict[str, Any]:
    """gcloud's own tree of commands and flags, which its shell completion reads."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    path = Path(gcloud).resolve().parent.parent / "data/cli/gcloud_completions.py"
    if not path.exists():
        pytest.skip(f"this gcloud has no {path}")
    tree: dict[str, Any] = runpy.run_path(str(path))["STATIC_COMPLETION_CLI_TREE"]
    return tree


def helped(words: list[str]) -> str:
    """What ``--help`` says; the tree leaves some flags out."""
    said = subprocess.run(["gcloud", *words, "--help"], capture_output=True, text=True, timeout=60).stdout
    return re.sub(r"\x1b\[[0-9;]*m", "", said)


@pytest.mark.parametrize("command", sorted(set(commands())), ids=lambda text: " ".join(text.split()[1:4]))
def test_gcloud_has_the_command_and_its_flags(command: str, gcloud_tree: dict[str, Any]) -> None:
    words = [word for word in shlex.split(command)[1:] if word not in _SHELL_WORDS]
    node, path = gcloud_tree, []
    while words and words[0] in node["commands"]:
        path.append(words[0])
        node = node["commands"][words.pop(0)]
    assert not node["commands"], f"gcloud {' '.join(path)} is a group: {words[:1]} is none of its commands"
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    flags = {flag for flag in flags if flag.replace("--no-", "--") not in node["flags"] and flag not in node["flags"]}
    flags -= set(gcloud_tree["flags"])
    text = helped(path) if flags else ""
    assert not [flag for flag in flags if not _named(flag, text)]


def _named(flag: str, text: str) -> bool:
    plain = re.escape(flag.removeprefix("--no-").removeprefix("--"))
    return re.search(rf"--(\[no-\]|no-)?{plain}(?![\w-])", text) is not None


def test_variables_are_set_before_they_are_used() -> None:
    known: set[str] = set()
    for block in blocks("sh"):
        known |= set(re.findall(r"\b([A-Z_]+)=", " ".join(re.findall(r"^export .*", block, re.MULTILINE))))
        known |= set(re.findall(r"^for (\w+) in", block, re.MULTILINE))
        assert set(re.findall(r"\$\{(\w+)\}", block)) <= known
        assert not re.findall(r"\$[A-Za-z]", block), "${NAME}, so that this test sees it"


def test_the_commands_are_shell() -> None:
    for block in blocks("sh"):
        checked = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, timeout=10)
        assert checked.returncode == 0, checked.stderr


def test_outputs_and_modules_that_are_named_exist() -> None:
    outputs = set(re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE))
    assert set(re.findall(r"terraform output -raw (\w+)", TEXT)) <= outputs
    for module in re.findall(r"python -m ([a-z.]+)", TEXT):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for name in re.findall(r"`(google_\w+\.\w+)`", TEXT):
        assert f'resource "{name.replace(".", chr(34) + " " + chr(34))}"' in "".join(
            p.read_text() for p in MODULE.glob("*.tf")
        )


def test_a_message_is_found_by_pubsubs_id() -> None:
    (block,) = [one for one in blocks("sh") if "sha256sum" in one]
    printed = subprocess.run(
        ["sh", "-euc", block], capture_output=True, text=True, timeout=10, check=True
    ).stdout.strip()
    assert printed == document_id("builds-monitor", "1234567890")


# Tables


def test_inputs_are_those_of_the_module() -> None:
    text = (MODULE / "variables.tf").read_text()
    wanted = []
    for block in re.split(r"^variable ", text, flags=re.MULTILINE)[1:]:
        described = re.search(r'^  description = "(.*)"$', block, re.MULTILINE)
        default = re.search(r"^  default +=\s(.*)$", block, re.MULTILINE)
        assert described
        meaning = described[1].replace('\\"', '"')
        wanted.append([f"`{block.split(chr(34))[1]}`", f"`{default[1]}`" if default else "required", meaning])
    assert table_of("Inputs") == wanted


def test_the_costs_are_the_scripts() -> None:
    assert table(ROWS) in TEXT, f"terraform/README.md needs this table:\n{table(ROWS)}"


def _filters(cell: str) -> list[tuple[str, str]]:
    found = [re.fullmatch(r"(\w+) (==|>=|>|array-contains) .+", code) for code in re.findall(r"`([^`]+)`", cell)]
    return [(one[1], one[2]) for one in found if one]


@pytest.mark.parametrize("row", table_of("Questions to the Firestore console"), ids=lambda row: row[0])
def test_the_console_can_answer(row: list[str]) -> None:
    _, collection, where, sort = row
    filters, sorted_by = _filters(where), re.findall(r"`(\w+)` descending", sort)
    assert len(filters) == where.count("`") // 2, f"{where} is not all filters"
    if collection != "`messages`":
        assert len(filters) + len(sorted_by) <= 1, "it would need a composite index"
        return
    assert {name for name, _ in filters} <= stored_fields()
    if len(filters) == 1 and not sorted_by:
        assert filters[0][0] not in overrides()["messages"], f"{filters[0][0]} has no index of its own"
        return
    equal = tuple((name, "ASCENDING") for name, how in filters if how == "==")
    contains = tuple((name, "CONTAINS") for name, how in filters if how == "array-contains")
    assert (*equal, *contains, (sorted_by[0], "DESCENDING")) in held_indexes()
