"""The deployment's pages, compared with the module: the examples plan, and the tables are those of the code."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.support.pages import DEPLOYMENT_TEXT, blocks, read, rows
from tests.support.terraform.indexes import held_indexes, overrides, stored_fields
from tests.support.terraform.runner import MODULE, ROOT, Terraform, resources


def id_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


@pytest.mark.parametrize("example", blocks("hcl", DEPLOYMENT_TEXT), ids=id_of)
def test_every_example_can_be_planned(terraform: Terraform, example: str) -> None:
    assert example.startswith("# terraform.tfvars\n"), "an example is a whole terraform.tfvars"
    plan = terraform.plan("example", example)
    named = re.findall(r"^  (\w+)\s+= \{ ?(?:topic|$)", example, re.MULTILINE) or ["builds-monitor"]
    subscriptions = resources(plan, "google_pubsub_subscription")
    assert {entry["index"] for entry in subscriptions if entry["name"] == "monitored"} == set(named)


def test_collections_that_clash_in_a_shared_database_are_named() -> None:
    paragraph = read("terraform/README.md").partition("Subscope keeps `audit`")[2].partition("\n\n")[0]
    kept, _, changed = paragraph.partition("In a database that others use")
    sources = "\n".join(path.read_text() for where in ("functions", "infra", "web") for path in python_files(where))
    named = re.findall(r'(?:\bcollection\(|collection_id=|whole_collection\(|\bCOLLECTION = )"(\w+)"', sources)
    assert {"audit", *re.findall(r"`(\w+)`", kept)} == {*named, "chunks", "rejections"}
    assert set(re.findall(r"`(\w+)`", changed.partition("expire")[0])) == set(overrides())


def python_files(where: str) -> list[Path]:
    """The modules below a directory, without the local cloud."""
    return [path for path in sorted((ROOT / where).rglob("*.py")) if "local" not in path.relative_to(ROOT).parts]


def test_variables_table_is_that_of_the_module() -> None:
    text = (MODULE / "variables.tf").read_text()
    wanted = []
    for block in re.split(r"^variable ", text, flags=re.MULTILINE)[1:]:
        described = re.search(r'^  description = "(.*)"$', block, re.MULTILINE)
        default = re.search(r"^  default +=\s(.*)$", block, re.MULTILINE)
        assert described
        meaning = described[1].replace('\\"', '"')
        wanted.append([f"`{block.split(chr(34))[1]}`", f"`{default[1]}`" if default else "required", meaning])
    assert rows("docs/deployment-variables.md") == wanted


def test_outputs_table_is_that_of_the_module() -> None:
    text = (MODULE / "outputs.tf").read_text()
    described = re.findall(r'^output "(\w+)" \{\n  description = "(.*)"$', text, re.MULTILINE)
    assert len(described) == text.count('\noutput "') + text.startswith('output "')
    wanted = [[f"`{name}`", meaning.replace('\\"', '"')] for name, meaning in described]
    assert rows("docs/deployment-variables.md", 1) == wanted


def filters_in(cell: str) -> list[tuple[str, str]]:
    matches = [re.fullmatch(r"(\w+) (==|>=|>|<|array-contains) .+", code) for code in re.findall(r"`([^`]+)`", cell)]
    return [(match[1], match[2]) for match in matches if match]


@pytest.mark.parametrize("row", rows("docs/firestore-console.md"), ids=lambda row: row[0])
def test_console_query_has_its_index(row: list[str]) -> None:
    _, collection, where, sort = row
    filters, sorted_by = filters_in(where), re.findall(r"`(\w+)` descending", sort)
    assert len(filters) == where.count("`") // 2, f"{where} is not all filters"
    if collection != "`messages`":
        # A range over one field that is also the order needs only that field's own index.
        assert len({*(name for name, _ in filters), *sorted_by}) <= 1, "it would need a composite index"
        return
    assert {name for name, _ in filters} <= stored_fields()
    if len(filters) == 1 and not sorted_by:
        assert filters[0][0] not in overrides()["messages"], f"{filters[0][0]} has no single-field index"
        return
    equal = tuple((name, "ASCENDING") for name, operator in filters if operator == "==")
    contains = tuple((name, "CONTAINS") for name, operator in filters if operator == "array-contains")
    assert (*equal, *contains, (sorted_by[0], "DESCENDING")) in held_indexes()
