"""A state that the root made before it called a module: each resource keeps what it stands for, at its new address."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import CALL, Terraform
from tests.support.terraform.variables import EVERYTHING, PRIVATE

FORMER = json.loads(Path(__file__).with_name("former_state.json").read_text())
VARIABLES = {"everything": EVERYTHING, "private": PRIVATE}
GOOGLE = 'provider["registry.terraform.io/hashicorp/google"]'
PROVIDERS = {
    "google_billing_budget": f"{GOOGLE}.billing",
    "terraform_data": 'provider["terraform.io/builtin/terraform"]',
}


# The instances of a resource, by its address: the key, and the arguments that cannot be changed.
Former = dict[str, list[tuple[str | int | None, dict[str, Any]]]]


def state_of(former: Former) -> dict[str, Any]:
    """Return a state with these resources; the offline provider computes the attributes that are not here."""
    kept = []
    for address, instances in former.items():
        kind, name = address.split(".")
        made = [
            {**({} if key is None else {"index_key": key}), "schema_version": 0, "attributes": attributes}
            for key, attributes in instances
        ]
        provider = PROVIDERS.get(kind, GOOGLE)
        kept.append({"mode": "managed", "type": kind, "name": name, "provider": provider, "instances": made})
    return {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "former", "resources": kept}


def addresses_of(former: Former) -> set[str]:
    """Return the former address of each instance."""
    return {
        address if key is None else f"{address}[{json.dumps(key)}]"
        for address, instances in former.items()
        for key, _ in instances
    }


@pytest.mark.parametrize("case", VARIABLES)
def test_former_state_is_moved_and_loses_nothing(terraform: Terraform, case: str) -> None:
    terraform.state(f"former-{case}").write_text(json.dumps(state_of(FORMER[case])))
    changes = terraform.plan(f"former-{case}", VARIABLES[case])["resource_changes"]
    moved = {entry["previous_address"] for entry in changes if "previous_address" in entry}
    assert moved == addresses_of(FORMER[case])
    lost = {entry["address"]: entry["change"]["actions"] for entry in changes if "delete" in entry["change"]["actions"]}
    # The image has a tag by its sources, which this state does not have.
    lost.pop(f"{CALL}terraform_data.viewer_image[0]", None)
    # Cloud Run lets the push account in and no other, so the grant to all users goes.
    lost.pop(f"{CALL}google_cloud_run_v2_service_iam_member.anybody_inside_calls_receiver[0]")
    assert not lost


def test_moves_are_those_of_the_former_resources() -> None:
    """Both cases together have every resource of the former root, so that no move is untested."""
    text = (Path(__file__).parents[2] / "terraform/moved.tf").read_text()
    written = {line.split("= ")[1] for line in text.splitlines() if line.startswith("  from = ")}
    assert written == {address for former in FORMER.values() for address in former}
    assert text.count("  to   = module.subscope.") == len(written)
