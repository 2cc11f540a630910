"""Protection: the effects of a destroy, of cleanups and of foreign pull requests, the budget, and excluded logs."""

import json
import re
from typing import Any

import pytest

from tests.support.terraform.plan import viewer_variables
from tests.support.terraform.runner import CALL, PROJECT, Terraform, resources, values

KEPT = ("DELETE_PROTECTION_ENABLED", "ABANDON")
GONE = ("DELETE_PROTECTION_DISABLED", "DELETE")


def test_destroy_keeps_messages_unless_protection_is_off(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    for any_plan, wanted in ((plan, KEPT), (full_plan, GONE)):
        database = values(any_plan, "google_firestore_database.this[0]")
        assert (database["delete_protection_state"], database["deletion_policy"]) == wanted
        # A field that is deleted loses its expiry and gets indexes over all messages.
        fields = {entry["values"]["deletion_policy"] for entry in resources(any_plan, "google_firestore_field")}
        assert fields == {wanted[1]}


def test_destroy_leaves_apis_enabled(plan: dict[str, Any]) -> None:
    assert {entry["values"]["disable_on_destroy"] for entry in resources(plan, "google_project_service")} == {False}


def test_destroy_deletes_resources_without_data(plan: dict[str, Any]) -> None:
    assert values(plan, "google_cloud_run_v2_service.viewer")["deletion_protection"] is False
    assert values(plan, "google_storage_bucket.source")["force_destroy"] is True


def test_old_images_are_deleted_after_a_month_except_the_last_ones(plan: dict[str, Any]) -> None:
    policies = values(plan, "google_artifact_registry_repository.images")["cleanup_policies"]
    kept = [policy["most_recent_versions"][0] for policy in policies if policy["action"] == "KEEP"]
    # Of the function's image and of its build's cache there are always some as well.
    assert sorted((one["keep_count"], one["package_name_prefixes"]) for one in kept) == [(2, None), (10, ["viewer"])]
    (deleted,) = [policy["condition"][0] for policy in policies if policy["action"] == "DELETE"]
    assert (deleted["older_than"], deleted["package_name_prefixes"]) == (f"{30 * 86_400}s", None)


def test_staged_sources_are_deleted_after_a_week(plan: dict[str, Any]) -> None:
    rules = values(plan, "google_storage_bucket.source")["lifecycle_rule"]
    (staged,) = [rule["condition"][0] for rule in rules if rule["condition"][0]["matches_prefix"]]
    assert (staged["age"], staged["matches_prefix"]) == (7, ["builds/", "plans/"])
    assert {rule["action"][0]["type"] for rule in rules} == {"Delete"}


def test_image_is_built_again_only_when_its_sources_changed(plan: dict[str, Any]) -> None:
    assert re.search(r"/viewer:[0-9a-f]{16}$", values(plan, "terraform_data.viewer_image[0]")["triggers_replace"])


def test_foreign_pull_request_is_planned_after_a_maintainers_comment(full_plan: dict[str, Any]) -> None:
    trigger = values(full_plan, 'google_cloudbuild_trigger.plan["this"]')
    control = trigger["repository_event_config"][0]["pull_request"][0]["comment_control"]
    assert control == "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"


def test_only_the_request_log_of_stored_messages_is_excluded(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    excluded = values(plan, "google_logging_project_exclusion.stored_messages[0]")["filter"].split(" AND ")
    assert excluded == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="subscope-receiver"',
        'log_id("run.googleapis.com/requests")',
        "httpRequest.status=204",
    ]
    assert not list(resources(full_plan, "google_logging_project_exclusion")), "keep_request_logs = true"


def test_budget_notifies_at_half_ninety_and_hundred_per_cent(full_plan: dict[str, Any]) -> None:
    rules = values(full_plan, "google_billing_budget.monthly[0]")["threshold_rules"]
    assert [rule["threshold_percent"] for rule in rules] == [0.5, 0.9, 1]


@pytest.mark.parametrize(("emails", "channels", "notified"), [(0, 0, 0), (1, 1, 2), (5, 0, 5), (4, 3, 5)])
def test_budget_notifies_at_most_five_recipients(
    terraform: Terraform, emails: int, channels: int, notified: int
) -> None:
    addresses = [f"operator-{number}@example.com" for number in range(emails)]
    existing = [f"projects/{PROJECT}/notificationChannels/{number}" for number in range(channels)]
    budget = '{ billing_account = "012345-ABCDEF-678901", amount = 100 }'
    alerts = f"{{ emails = {json.dumps(addresses)}, channels = {json.dumps(existing)} }}"
    plan = terraform.plan("notified", f'project = "{PROJECT}"\nbudget = {budget}\nalerts = {alerts}')
    status = {one["address"]["to_display"]: one["status"] for one in plan["checks"]}
    assert status[f"{CALL}check.alerts_have_a_recipient"] == ("pass" if notified else "fail"), (
        "a plan warns when alerts have no recipient"
    )
    (change,) = [entry["change"] for entry in plan["resource_changes"] if entry["type"] == "google_billing_budget"]
    # The channels' ids are not known before they are created.
    rules = change["after_unknown"]["all_updates_rule"]
    assert sum(len(rule["monitoring_notification_channels"]) for rule in rules) == notified
    policies = [
        entry["change"] for entry in plan["resource_changes"] if entry["type"] == "google_monitoring_alert_policy"
    ]
    told = {len(policy["after_unknown"].get("notification_channels", [])) for policy in policies}
    assert told == {emails + channels}


@pytest.mark.parametrize("which", ["plan", "full_plan"])
def test_first_password_is_read_from_the_secret_of_the_viewer(which: str, request: pytest.FixtureRequest) -> None:
    planned: dict[str, Any] = request.getfixturevalue(which)
    command = planned["planned_values"]["outputs"]["first_password"]["value"]
    (secret,) = re.findall(r"--secret=(\S+)", command)
    assert f"--project={PROJECT}" in command.split()
    made = {
        entry["index"]: entry["values"]["secret_id"] for entry in resources(planned, "google_secret_manager_secret")
    }
    assert secret in made.values()
    granted = {entry["values"]["secret_id"] for entry in resources(planned, "google_secret_manager_secret_iam_member")}
    assert granted == set(made.values())
    assert made["admin-password"] == secret
    assert [entry for entry in viewer_variables(planned) if entry["name"] == "ADMIN_PASSWORD" and entry["value_source"]]
