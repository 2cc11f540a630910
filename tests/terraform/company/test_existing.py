"""Accounts, roles and APIs that exist are used, and none is created; labels are on everything that can have them."""

import json
from typing import Any

import pytest

from tests.support.pages import blocks, read
from tests.support.terraform.applied import LEAST, Applied
from tests.support.terraform.grants import grants
from tests.support.terraform.offline.schemas import schemas_of
from tests.support.terraform.runner import CALL, NUMBER, PROJECT, SCHEMAS, Terraform, resources, values

RECEIVER, VIEWER, BUILD, DEPLOYER, PLANNER = (
    f"serviceAccount:{name}@{PROJECT}.iam.gserviceaccount.com"
    for name in ("our-receiver", "our-viewer", "ci-build", "ci-apply", "ci-plan")
)
PUSH = f"our-push@{PROJECT}.iam.gserviceaccount.com"
PUBSUB = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
GRANTS_ON_PUSH = ("pubsub_mints_push_tokens", "viewer_starts_delivery")
DATABASE = f'resource.name == "projects/{PROJECT}/databases/subscope"'


def test_no_account_and_no_api_is_created(company_plan: dict[str, Any]) -> None:
    assert list(resources(company_plan, "google_service_account")) == []
    assert list(resources(company_plan, "google_project_service")) == []
    roles = [entry["values"]["role_id"] for entry in resources(company_plan, "google_project_iam_custom_role")]
    assert roles == ["subscope_planner"], "the only one that is not named"


def test_existing_accounts_and_roles_get_the_grants(company_plan: dict[str, Any]) -> None:
    granted = set(grants(company_plan))
    assert {
        (RECEIVER, "roles/datastore.user", "project", DATABASE),
        (VIEWER, "roles/datastore.user", "project", DATABASE),
        (VIEWER, "roles/monitoring.viewer", "project", ""),
        (VIEWER, "roles/pubsub.editor", "subscription orders", ""),
        (VIEWER, "roles/pubsub.publisher", "topic orders", ""),
        (VIEWER, "roles/iam.serviceAccountUser", "account our-push", ""),
        (PUBSUB, "roles/iam.serviceAccountTokenCreator", "account our-push", ""),
        (BUILD, "roles/artifactregistry.writer", "repository subscope", ""),
        (PLANNER, f"projects/{PROJECT}/roles/subscope_planner", "project", ""),
        *(
            (DEPLOYER, "roles/iam.serviceAccountUser", f"account {name}", "")
            for name in ("ci-build", "ci-apply", "ci-plan", "our-push", "our-receiver", "our-viewer")
        ),
    } <= granted
    assert not [grant for grant in granted if "serviceAccount:subscope-" in grant[0]]
    (condition,) = [grant[3] for grant in granted if grant[1] == "roles/resourcemanager.projectIamAdmin"]
    allowed = json.loads(condition.partition("hasOnly(")[2].rstrip(")"))
    assert set(allowed) == {
        f"projects/{PROJECT}/roles/subscope_planner",
        "roles/datastore.user",
        "roles/logging.logWriter",
        "roles/monitoring.viewer",
        "roles/storage.objectViewer",
    }
    assert len(allowed) == 5, "each role once"


def test_services_run_as_the_existing_accounts(company_plan: dict[str, Any]) -> None:
    function = values(company_plan, "google_cloudfunctions2_function.receiver")
    template = values(company_plan, "google_cloud_run_v2_service.viewer")["template"][0]
    named = company_plan["planned_values"]["outputs"]["service_accounts"]["value"]
    assert named == {
        part: f"{name}@{PROJECT}.iam.gserviceaccount.com"
        for part, name in (
            *(("build", "ci-build"), ("push", "our-push")),
            *(("receiver", "our-receiver"), ("viewer", "our-viewer")),
        )
    }
    assert function["service_config"][0]["service_account_email"] == named["receiver"]
    assert function["service_config"][0]["environment_variables"]["PUSH_SERVICE_ACCOUNT"] == PUSH
    assert function["build_config"][0]["service_account"] == f"projects/{PROJECT}/serviceAccounts/{named['build']}"
    assert template["service_account"] == named["viewer"]
    pushed = values(company_plan, 'google_pubsub_subscription.monitored["orders"]')["push_config"][0]
    assert pushed["oidc_token"][0]["service_account_email"] == PUSH
    triggers = {entry["name"]: entry["values"] for entry in resources(company_plan, "google_cloudbuild_trigger")}
    for name, account in (("apply", "ci-apply"), ("plan", "ci-plan")):
        assert triggers[name]["substitutions"]["_ACCOUNT"] == account
        assert triggers[name]["service_account"].endswith(f"/{account}@{PROJECT}.iam.gserviceaccount.com")


def test_replaced_push_account_gets_its_grants_again(applied: Applied) -> None:
    changed = applied.changes(LEAST, f"-replace={CALL}google_service_account.push[0]")
    again = {f"-/+ google_service_account_iam_member.{name}" for name in GRANTS_ON_PUSH}
    again.add("-/+ google_cloud_run_v2_service_iam_policy.receiver")
    assert {"-/+ google_service_account.push", *again} <= changed


def test_documented_block_imports_a_subscription_that_exists(terraform: Terraform) -> None:
    if not terraform.plans:
        pytest.skip("an import would ask Google")
    (block,) = blocks("terraform", read("docs/deployment.md"))
    written = terraform.root / "import.tf"
    written.write_text(block)
    try:
        planned = terraform.plan(
            "import", f'project = "{PROJECT}"\nsubscriptions = {{ orders = {{ topic = "orders" }} }}'
        )
    finally:
        written.unlink()
    name = 'google_pubsub_subscription.monitored["orders"]'
    (change,) = [one["change"] for one in planned["resource_changes"] if one["address"] == f"{CALL}{name}"]
    assert (change["importing"], change["actions"]) == ({"id": f"projects/{PROJECT}/subscriptions/orders"}, ["update"])


def test_labels_are_on_everything_that_can_have_them(company_plan: dict[str, Any]) -> None:
    planned = {entry["type"] for entry in resources(company_plan)}
    schemas: dict[str, Any] = {}
    for document in schemas_of(planned, SCHEMAS):
        for provider in document["provider_schemas"].values():
            schemas |= provider["resource_schemas"]
    unlabelled = []
    for entry in resources(company_plan):
        attributes = schemas.get(entry["type"], {"block": {"attributes": {}}})["block"]["attributes"]
        # The labels of a notification channel are its address.
        names = {"user_labels"} if "user_labels" in attributes else {"labels"} & set(attributes)
        unlabelled += [
            entry["address"] for name in names if entry["values"][name] != {"app": "subscope", "team": "ops"}
        ]
    assert unlabelled == []
