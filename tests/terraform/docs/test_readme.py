"""terraform/README.md is true: its examples plan, its tables are those of the code."""

import hashlib
import re
from pathlib import Path

import pytest

from docs.tools.costs import ROWS, table
from tests.support.terraform.indexes import held_indexes, overrides, stored_fields
from tests.support.terraform.readme import TEXT, blocks
from tests.support.terraform.runner import MODULE, ROOT, Terraform, resources


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


# Prose


def test_it_names_the_collections_that_would_clash_with_others_in_a_database() -> None:
    paragraph = TEXT.partition("Subscope keeps `audit`")[2].partition("\n\n")[0]
    kept, _, changed = paragraph.partition("In a database that others use")
    sources = "\n".join(path.read_text() for where in ("functions", "infra", "web") for path in python_files(where))
    named = re.findall(r'(?:\bcollection\(|collection_id=|whole_collection\()"(\w+)"', sources)
    assert {"audit", *re.findall(r"`(\w+)`", kept)} == {*named, "chunks", "rejections"}
    assert set(re.findall(r"`(\w+)`", changed.partition("expire")[0])) == set(overrides())


def python_files(where: str) -> list[Path]:
    """The modules below a directory, less the local cloud's."""
    return [path for path in sorted((ROOT / where).rglob("*.py")) if "local" not in path.relative_to(ROOT).parts]


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
