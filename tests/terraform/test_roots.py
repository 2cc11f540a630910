"""Roots that call the module: each example plans, also with several instances and with providers of the caller."""

import re
from typing import Any

import pytest

from tests.support.terraform.runner import DEPLOYMENT, PROJECT, find_terraform, read_data, resources

EXAMPLES = {
    "minimal": "",
    "several": "",
    "load-balancer": "",
    "company": 'billing_account = "012345-ABCDEF-678901"\ndeployer = "deployer@my-project.iam.gserviceaccount.com"',
}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The name and the plan of each example."""
    name: str = request.param
    terraform = find_terraform(tmp_path_factory.mktemp(name), folder=f"examples/{name}")
    return name, terraform.plan("example", f'project = "{PROJECT}"\n{EXAMPLES[name]}')


def test_example_plans_every_instance(example: tuple[str, dict[str, Any]]) -> None:
    name, plan = example
    services = {entry["values"]["name"] for entry in resources(plan, "google_cloud_run_v2_service")}
    wanted = {"orders-viewer", "billing-viewer"} if name == "several" else {"subscope-viewer"}
    assert services == wanted
    assert len({entry["values"]["output_path"] for entry in read_data(plan, "archive_file")}) == len(wanted)


def test_names_of_instances_differ(example: tuple[str, dict[str, Any]]) -> None:
    """Google refuses the second resource of a name; an API can be enabled twice."""
    name, plan = example
    made = [
        (entry["type"], entry["values"].get(key))
        for entry in resources(plan)
        for key in ("name", "account_id", "role_id", "repository_id", "secret_id")
        # An object's name is one of its bucket's, and a grant's one of what it is on.
        if isinstance(entry["values"].get(key), str) and not re.search("_iam_member|_object$", entry["type"])
    ]
    assert len(made) > 20
    assert len(set(made)) == len(made), f"{name} makes a name twice"


def test_examples_are_these() -> None:
    assert {path.parent.name for path in DEPLOYMENT.glob("examples/*/main.tf")} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_takes_the_modules_providers(name: str) -> None:
    """Versions that the module does not allow would stop every init of a copy of the example."""
    versions = (DEPLOYMENT / "modules/subscope/versions.tf").read_text()
    text = (DEPLOYMENT / f"examples/{name}/main.tf").read_text()
    bounds = r'source += "hashicorp/([\w-]+)"(?:\n +#.*)?\n +version += "(.*)"'
    assert set(re.findall(bounds, text)) == {
        pair for pair in re.findall(bounds, versions) if pair[0].startswith("google")
    }
    assert re.findall(r"required_version = .*", text) == re.findall(r"required_version = .*", versions)
