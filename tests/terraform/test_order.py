"""The order in which resources are created, which are replaced together, and which changes by others are ignored."""

import json
import re
from typing import Any

import pytest

from docs.tools.costs import ALERTS
from tests.support.terraform.plan import dependencies, waits_for
from tests.support.terraform.runner import CALL, MODULE, PROJECT, Terraform, resources, values
from tests.support.terraform.runner import IMAGE as VIEWER_IMAGE

FUNCTION, VIEWER = "google_cloudfunctions2_function.receiver", "google_cloud_run_v2_service.viewer"
MONITORED, DEAD_LETTERS = "google_pubsub_subscription.monitored", "google_pubsub_subscription.dead_letter"
IMAGE = "terraform_data.viewer_image"
SETTINGS = "google_secret_manager_secret_version.receiver_settings"
BUILD_GRANTS = {
    "google_artifact_registry_repository_iam_member.build_pushes",
    "google_project_iam_member.build_logs",
    "google_project_iam_member.build_reads_source",
}
# Without its grants a build fails, a receiver answers 503, and a viewer that cannot read its secrets never starts.
WAITED_GRANTS = {
    *BUILD_GRANTS,
    "google_project_iam_member.receiver_stores",
    "google_project_iam_member.viewer_reads",
    "google_secret_manager_secret_iam_member.receiver_reads",
    "google_secret_manager_secret_iam_member.viewer_reads",
}
INDEX, FIELD = "google_firestore_index", "google_firestore_field"
# These resources do not refer to the resources they need; without depends_on they would be created in parallel.
FIRST = {
    # Grants take effect about a minute after they were written, and so do APIs.
    "time_sleep.apis": {"google_project_service.apis"},
    "time_sleep.grants": {*WAITED_GRANTS, "time_sleep.apis"},
    # It does not start without its settings file.
    FUNCTION: {"time_sleep.grants", "google_firestore_database.this", SETTINGS},
    IMAGE: {"time_sleep.grants"},
    VIEWER: {"time_sleep.grants", IMAGE, "google_firestore_database.this"},
    # Google refuses a grant to an agent that it has not made yet.
    "google_cloud_run_v2_service_iam_member.iap_invokes_viewer": {"google_project_service_identity.iap"},
    # The first pushes would be refused, and each refusal counts as a delivery attempt.
    "time_sleep.pushes": {
        "google_cloud_run_v2_service_iam_policy.receiver",
        "google_service_account_iam_member.pubsub_mints_push_tokens",
    },
    "google_pubsub_subscription.monitored": {
        FUNCTION,
        SETTINGS,
        "google_cloud_run_v2_service_iam_policy.receiver",
        "google_service_account_iam_member.pubsub_mints_push_tokens",
        "time_sleep.pushes",
    },
    # The grant of the first apply is no news.
    "google_monitoring_alert_policy.receiver_opened": {"google_cloud_run_v2_service_iam_policy.receiver"},
    # Google creates Pub/Sub's agent with the project's first topic.
    "google_service_account_iam_member.pubsub_mints_push_tokens": {"google_pubsub_topic.dead_letter"},
    "google_pubsub_topic_iam_member.pubsub_forwards_dead_letters": {"google_pubsub_topic.dead_letter"},
    # Firestore refuses other changes of indexes and fields while a new database gets its first index, and takes few
    # at once after that.
    f"{INDEX}.first": {"google_firestore_database.this"},
    f"{INDEX}.composite": {f"{INDEX}.first"},
    f"{FIELD}.messages": {f"{INDEX}.composite"},
    f"{FIELD}.others": {f"{FIELD}.messages"},
}
# A replaced resource has lost its grants, although its name is the same.
GRANTS = {
    "google_artifact_registry_repository_iam_member.build_pushes": "google_artifact_registry_repository.images",
    "google_artifact_registry_repository_iam_member.planner_pulls": "google_artifact_registry_repository.images",
    "google_cloud_run_v2_service_iam_policy.receiver": f"{FUNCTION}.id, terraform_data.push_account",
    "google_cloud_run_v2_service_iam_member.iap_invokes_viewer": VIEWER,
    "google_cloud_run_v2_service_iam_member.members_invoke_viewer": VIEWER,
    "google_iap_web_cloud_run_service_iam_member.members_pass_iap": VIEWER,
    "google_pubsub_subscription_iam_member.pubsub_acknowledges_dead_letters": f"{MONITORED}[each.key]",
    "google_pubsub_subscription_iam_member.viewer_switches_dead_letters": f"{DEAD_LETTERS}[each.key]",
    "google_pubsub_subscription_iam_member.viewer_switches_delivery": f"{MONITORED}[each.key]",
    "google_pubsub_topic_iam_member.pubsub_forwards_dead_letters": "google_pubsub_topic.dead_letter[each.key]",
    "google_secret_manager_secret_iam_member.receiver_reads": (
        'google_secret_manager_secret.secret["receiver-settings"]'
    ),
    "google_secret_manager_secret_iam_member.viewer_reads": "google_secret_manager_secret.secret[each.key]",
    "google_service_account_iam_member.pubsub_mints_push_tokens": "terraform_data.push_account",
    "google_service_account_iam_member.viewer_starts_delivery": "terraform_data.push_account",
    "google_storage_bucket_iam_member.planner_reads_source": "google_storage_bucket.source",
}
# Their targets are not in the module, or Terraform cannot name them in replace_triggered_by.
UNTIED_GRANTS = {
    "google_kms_crypto_key_iam_member.agents",
    "google_pubsub_topic_iam_member.viewer_publishes",
    "google_service_account_iam_member.deployer_acts_as",
    "google_storage_bucket_iam_member.deployer_keeps_state",
    "google_storage_bucket_iam_member.planner_locks_state",
    "google_storage_bucket_iam_member.planner_reads_state",
}
# Start and Stop set a subscription's endpoint. An address is used until no alert names it. A replaced bucket has lost
# its objects, and a repository its images. A database is never moved. The console and gcloud write into a service.
# The name of the archive has the hash of its content, and its path is another on another machine.
LIFECYCLES = {
    VIEWER: {"ignore_changes": "[client, client_version, scaling]"},
    "google_firestore_database.this": {"ignore_changes": "[cmek_config, location_id, name]"},
    "google_monitoring_notification_channel.email": {"create_before_destroy": "true"},
    "google_pubsub_subscription.dead_letter": {"ignore_changes": "[push_config]"},
    "google_pubsub_subscription.monitored": {"ignore_changes": "[push_config]"},
    "google_storage_bucket_object.receiver": {
        "ignore_changes": "[source]",
        "replace_triggered_by": "[google_storage_bucket.source.id]",
    },
    IMAGE: {"replace_triggered_by": "[google_artifact_registry_repository.images.id]"},
    **{grant: {"replace_triggered_by": f"[{target}.id]"} for grant, target in GRANTS.items()},
}


@pytest.fixture(scope="module")
def graph(terraform: Terraform) -> dict[str, set[str]]:
    return dependencies(terraform)


@pytest.mark.parametrize("later", FIRST)
def test_resource_waits_for_what_it_needs(graph: dict[str, set[str]], later: str) -> None:
    assert FIRST[later] <= waits_for(graph, later)


def test_wait_for_grants_is_repeated_when_a_role_or_a_member_changes(full_plan: dict[str, Any]) -> None:
    waited = values(full_plan, "time_sleep.grants")
    assert waited["create_duration"] == "60s"
    written = " ".join(waited["triggers"].values())
    for address in WAITED_GRANTS:
        kind, name = address.split(".")
        grants = [entry["values"] for entry in resources(full_plan, kind) if entry["name"] == name]
        assert grants
        assert all(grant["role"] in written and grant["member"] in written for grant in grants), address


def test_wait_for_pushes_is_repeated_when_the_caller_changes(plan: dict[str, Any]) -> None:
    waited = values(plan, "time_sleep.pushes")
    policy = json.loads(values(plan, "google_cloud_run_v2_service_iam_policy.receiver")["policy_data"])
    (caller,) = policy["bindings"][0]["members"]
    assert (waited["create_duration"], waited["triggers"]) == ("60s", {"caller": caller})


def test_wait_for_apis_is_repeated_when_one_is_added(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    for any_plan in (plan, full_plan):
        waited = values(any_plan, "time_sleep.apis")
        enabled = sorted(entry["values"]["service"] for entry in resources(any_plan, "google_project_service"))
        assert (waited["create_duration"], waited["triggers"]) == ("60s", {"apis": " ".join(enabled)})


def lifecycles() -> dict[str, dict[str, str]]:
    """Return the arguments of every lifecycle block of the module, by the resource's address."""
    text = "\n".join(path.read_text() for path in sorted(MODULE.glob("*.tf")))
    blocks = {}
    for kind, name, body in re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}$', text, re.MULTILINE | re.DOTALL):
        if block := re.search(r"^  lifecycle \{\n(.*?)^  \}$", body, re.MULTILINE | re.DOTALL):
            blocks[f"{kind}.{name}"] = dict(re.findall(r"^    (\w+) += (.*)$", block[1], re.MULTILINE))
    return blocks


def test_lifecycle_blocks_are_these() -> None:
    assert lifecycles() == LIFECYCLES


def test_every_grant_on_a_resource_is_made_again_with_it() -> None:
    text = "\n".join(path.read_text() for path in MODULE.glob("*.tf"))
    grants = {
        f"{kind}.{name}"
        for kind, name in re.findall(r'^resource "(\w+_iam_(?:member|policy))" "(\w+)"', text, re.MULTILINE)
    }
    on_resources = {grant for grant in grants if not grant.startswith("google_project_iam_member.")}
    assert on_resources == GRANTS.keys() | UNTIED_GRANTS


def test_address_is_removed_from_alerts_before_it_is_deleted(terraform: Terraform) -> None:
    """Google does not delete a channel that a policy or a budget names."""
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    budget = '-var=budget={billing_account="012345-ABCDEF-678901",amount=100}'
    options = ["-input=false", "-auto-approve", "-no-color", f"-state={terraform.state('emails')}"]
    options += [f"-var=project={PROJECT}", f"-var=viewer_image={VIEWER_IMAGE}", budget]
    terraform.run("apply", *options, '-var=alerts={emails=["first@example.com","second@example.com"]}')
    output = terraform.run("apply", *options, '-var=alerts={emails=["first@example.com"]}').stdout.splitlines()
    gone = next(at for at, line in enumerate(output) if '["second@example.com"]: Destroying...' in line)
    named = [
        at
        for at, line in enumerate(output)
        if re.match(rf"{CALL}google_(monitoring_alert|billing).*: Modifications", line)
    ]
    assert len(named) == ALERTS + 1
    assert max(named) < gone
