"""What a destroy, a cleanup and a stranger's pull request may do, and what is kept, warned of and left out."""

import json
import re
from typing import Any

import pytest

from tests.support.terraform.plan import viewer_variables
from tests.support.terraform.runner import PROJECT, Terraform, resources, values

KEPT = ("DELETE_PROTECTION_ENABLED", "ABANDON")
GONE = ("DELETE_PROTECTION_DISABLED", "DELETE")


def test_a_destroy_leaves_messages_unless_somebody_gave_up_their_protection(
    plan: dict[str, Any], full_plan: dict[str, Any]
) -> None:
    for some, wanted in ((plan, KEPT), (full_plan, GONE)):
        database = values(some, "google_firestore_database.this[0]")
        assert (database["delete_protection_state"], database["deletion_policy"]) == wanted


def test_a_destroy_leaves_the_projects_apis_on(plan: dict[str, Any]) -> None:
    assert {one["values"]["disable_on_destroy"] for one in resources(plan, "google_project_service")} == {False}


def test_a_destroy_takes_what_can_be_made_anew(plan: dict[str, Any]) -> None:
    assert values(plan, "google_cloud_run_v2_service.viewer")["deletion_protection"] is False
    assert values(plan, "google_storage_bucket.source")["force_destroy"] is True


def test_old_images_go_after_a_month_and_the_last_ten_stay(plan: dict[str, Any]) -> None:
    cleanup = {
        one["action"]: one for one in values(plan, "google_artifact_registry_repository.images")["cleanup_policies"]
    }
    assert set(cleanup) == {"KEEP", "DELETE"}
    assert cleanup["KEEP"]["most_recent_versions"][0]["keep_count"] == 10
    assert cleanup["DELETE"]["condition"][0]["older_than"] == f"{30 * 86_400}s"


def test_staged_sources_go_after_a_week(plan: dict[str, Any]) -> None:
    rules = values(plan, "google_storage_bucket.source")["lifecycle_rule"]
    (staged,) = [one["condition"][0] for one in rules if one["condition"][0]["matches_prefix"]]
    assert (staged["age"], staged["matches_prefix"]) == (7, ["builds/", "plans/"])
    assert {one["action"][0]["type"] for one in rules} == {"Delete"}


def test_the_image_is_built_anew_only_when_its_sources_changed(plan: dict[str, Any]) -> None:
    image = plan["planned_values"]["outputs"]["viewer_image"]["value"]
    assert re.search(r"/viewer:[0-9a-f]{16}$", image)
    assert values(plan, "terraform_data.viewer_image[0]")["triggers_replace"] == image


def test_a_strangers_pull_request_is_planned_when_a_maintainer_says_so(full_plan: dict[str, Any]) -> None:
    trigger = values(full_plan, 'google_cloudbuild_trigger.plan["this"]')
    asked = trigger["repository_event_config"][0]["pull_request"][0]["comment_control"]
    assert asked == "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"


def test_only_the_log_of_stored_messages_is_left_out(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    left_out = values(plan, "google_logging_project_exclusion.stored_messages[0]")["filter"].split(" AND ")
    assert left_out == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="subscope-receiver"',
        'log_id("run.googleapis.com/requests")',
        "httpRequest.status=204",
    ]
    assert not list(resources(full_plan, "google_logging_project_exclusion")), "keep_request_logs = true"


def test_a_budget_warns_before_and_when_it_is_used_up(full_plan: dict[str, Any]) -> None:
    rules = values(full_plan, "google_billing_budget.monthly[0]")["threshold_rules"]
    assert [one["threshold_percent"] for one in rules] == [0.5, 0.9, 1]


@pytest.mark.parametrize(("emails", "told"), [(0, 0), (1, 1), (5, 5), (7, 5)])
def test_a_budget_tells_as_many_as_google_lets_it(terraform: Terraform, emails: int, told: int) -> None:
    addresses = [f"ana{number}@example.com" for number in range(emails)]
    budget = '{ billing_account = "012345-ABCDEF-678901", amount = 100 }'
    plan = terraform.plan(
        "told", f'project = "{PROJECT}"\nbudget = {budget}\nalerts = {{ emails = {json.dumps(addresses)} }}'
    )
    (change,) = [one["change"] for one in plan["resource_changes"] if one["type"] == "google_billing_budget"]
    # Ids that are not known before the channels are made.
    rules = change["after_unknown"]["all_updates_rule"]
    assert sum(len(one["monitoring_notification_channels"]) for one in rules) == told


@pytest.mark.parametrize("which", ["plan", "full_plan"])
def test_the_first_password_is_read_from_the_secret_that_the_viewer_reads(
    which: str, request: pytest.FixtureRequest
) -> None:
    planned: dict[str, Any] = request.getfixturevalue(which)
    command = planned["planned_values"]["outputs"]["first_password"]["value"]
    (secret,) = re.findall(r"--secret=(\S+)", command)
    assert f"--project={PROJECT}" in command.split()
    made = {one["index"]: one["values"]["secret_id"] for one in resources(planned, "google_secret_manager_secret")}
    assert secret in made.values()
    granted = {one["values"]["secret_id"] for one in resources(planned, "google_secret_manager_secret_iam_member")}
    assert granted == set(made.values())
    assert made["admin-password"] == secret
    assert [one for one in viewer_variables(planned) if one["name"] == "ADMIN_PASSWORD" and one["value_source"]]
