"""Every planned grant, literally: member, role, resource and condition. No other grant is planned, and none twice."""

import re
from typing import Any

import pytest

from infra.settings import receiver_settings
from tests.support.terraform.grants import BUILD, SOURCES, Grant, grants
from tests.support.terraform.offline.values import READ
from tests.support.terraform.plan import settings_file, viewer_variables
from tests.support.terraform.runner import DEPLOYMENT, IMAGE, NUMBER, PROJECT, Terraform, resources, values

PUSH, RECEIVER, VIEWER, DEPLOYER, PLANNER = (
    f"serviceAccount:subscope-{name}@{PROJECT}.iam.gserviceaccount.com"
    for name in ("push", "receiver", "viewer", "deployer", "planner")
)
PUBSUB = f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
IAP = f"serviceAccount:service-{NUMBER}@gcp-sa-iap.iam.gserviceaccount.com"
CUSTOM = f"projects/{PROJECT}/roles/subscope"


# The conditions: on the database, the planned sources, the lock of the state, and the roles that the deployer grants.
DATABASE = f'resource.name == "projects/{PROJECT}/databases/subscope"'
PLANS = " || ".join(
    f'resource.name.startsWith("projects/_/buckets/{PROJECT}-subscope-source/objects/{folder}/")'
    for folder in ("receiver", "plans")
)
LOCK = 'resource.name == "projects/_/buckets/my-state/objects/subscope/default.tflock"'
MODULES_ROLES = (
    'api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly('
    f'["{CUSTOM}_backlog","{CUSTOM}_planner","{CUSTOM}_receiver","{CUSTOM}_viewer",'
    '"roles/logging.logWriter","roles/storage.objectViewer"])'
)

INVOKES_RECEIVER = ("roles/run.invoker", "service subscope-receiver")
ALWAYS = [
    (PUSH, "roles/run.invoker", "service subscope-receiver", ""),
    (PUBSUB, "roles/iam.serviceAccountTokenCreator", "account subscope-push", ""),
    (RECEIVER, f"{CUSTOM}_receiver", "project", DATABASE),
    (VIEWER, f"{CUSTOM}_viewer", "project", DATABASE),
    (VIEWER, f"{CUSTOM}_backlog", "project", ""),
    (VIEWER, "roles/iam.serviceAccountUser", "account subscope-push", ""),
    (RECEIVER, "roles/secretmanager.secretAccessor", "secret subscope-receiver-settings", ""),
    (VIEWER, "roles/secretmanager.secretAccessor", "secret subscope-admin-password", ""),
    (VIEWER, "roles/secretmanager.secretAccessor", "secret subscope-session-key", ""),
    (BUILD, "roles/artifactregistry.writer", "repository subscope", ""),
    (BUILD, "roles/logging.logWriter", "project", ""),
    (BUILD, "roles/storage.objectViewer", "project", SOURCES),
]
ON_REQUEST = [
    (VIEWER, "roles/pubsub.publisher", "topic orders", ""),
    (VIEWER, f"{CUSTOM}_delivery", "subscription events-dead-letter-monitor", ""),
    ("group:ops@example.com", "roles/iap.httpsResourceAccessor", "iap subscope-viewer", ""),
    (IAP, "roles/run.invoker", "service subscope-viewer", ""),
    (DEPLOYER, "roles/storage.objectUser", "bucket my-state", ""),
    (DEPLOYER, "roles/resourcemanager.projectIamAdmin", "project", MODULES_ROLES),
    *(
        (DEPLOYER, "roles/iam.serviceAccountUser", f"account subscope-{x}", "")
        for x in ("build", "deployer", "planner", "push", "receiver", "viewer")
    ),
    (PLANNER, f"{CUSTOM}_planner", "project", ""),
    (PLANNER, "roles/artifactregistry.reader", "repository subscope", ""),
    (PLANNER, "roles/logging.logWriter", "project", ""),
    (PLANNER, "roles/storage.objectUser", "bucket my-state", LOCK),
    (PLANNER, "roles/storage.objectViewer", "bucket my-state", ""),
    (PLANNER, "roles/storage.objectViewer", f"bucket {PROJECT}-subscope-source", PLANS),
    (DEPLOYER, "roles/artifactregistry.admin", "project", ""),
    (DEPLOYER, "roles/cloudbuild.builds.editor", "project", ""),
    (DEPLOYER, "roles/cloudfunctions.admin", "project", ""),
    (DEPLOYER, "roles/datastore.owner", "project", ""),
    (DEPLOYER, "roles/iam.roleAdmin", "project", ""),
    (DEPLOYER, "roles/iam.serviceAccountAdmin", "project", ""),
    (DEPLOYER, "roles/iap.admin", "project", ""),
    (DEPLOYER, "roles/logging.configWriter", "project", ""),
    (DEPLOYER, "roles/logging.logWriter", "project", ""),
    (DEPLOYER, "roles/logging.viewer", "project", ""),
    (DEPLOYER, "roles/monitoring.editor", "project", ""),
    (DEPLOYER, "roles/pubsub.admin", "project", ""),
    (DEPLOYER, "roles/run.admin", "project", ""),
    (DEPLOYER, "roles/secretmanager.admin", "project", ""),
    (DEPLOYER, "roles/serviceusage.serviceUsageAdmin", "project", ""),
    (DEPLOYER, "roles/storage.admin", "project", ""),
]


def of_subscription(name: str) -> list[Grant]:
    return [
        (VIEWER, f"{CUSTOM}_delivery", f"subscription {name}", ""),
        (PUBSUB, "roles/pubsub.subscriber", f"subscription {name}", ""),
        (PUBSUB, "roles/pubsub.publisher", f"topic {name}-dead-letter", ""),
    ]


def test_grants_of_the_smallest_deployment(plan: dict[str, Any]) -> None:
    assert sorted(grants(plan)) == sorted(ALWAYS + of_subscription("builds-monitor"))


def test_grants_with_every_feature(full_plan: dict[str, Any]) -> None:
    wanted = ALWAYS + ON_REQUEST + of_subscription("orders") + of_subscription("events")
    assert sorted(grants(full_plan)) == sorted(wanted)


def test_only_members_reach_a_private_viewer(private_plan: dict[str, Any]) -> None:
    members = [("user:operator@example.com", "roles/run.invoker", "service subscope-viewer", "")]
    assert sorted(grants(private_plan)) == sorted(ALWAYS + of_subscription("builds-monitor") + members)
    viewer = values(private_plan, "google_cloud_run_v2_service.viewer")
    assert (viewer["invoker_iam_disabled"], viewer["iap_enabled"]) == (False, False)


def test_agent_of_the_proxy_is_made_only_for_the_proxy(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    assert not list(resources(plan, "google_project_service_identity"))
    (agent,) = resources(full_plan, "google_project_service_identity")
    # The provider google has no such resource.
    assert agent["provider_name"].endswith("/google-beta")
    assert (agent["values"]["service"], agent["values"]["member"]) == ("iap.googleapis.com", IAP)


def test_planner_writes_only_the_lock_of_the_state() -> None:
    """test_grants_with_every_feature proves that the planner has no other write permission."""
    prefix = re.search(r'prefix = "(.+)"', (DEPLOYMENT / "backend.tf.example").read_text())
    assert prefix
    assert f'resource.name == "projects/_/buckets/my-state/objects/{prefix[1]}/default.tflock"' == LOCK


def test_grants_are_additive_except_for_the_callers_of_the_receiver(full_plan: dict[str, Any]) -> None:
    kinds = {entry["type"] for entry in resources(full_plan) if "_iam_" in entry["type"]}
    whole = [kind for kind in kinds if kind.endswith(("_binding", "_policy"))]
    assert whole == ["google_cloud_run_v2_service_iam_policy"]
    assert [entry["name"] for entry in resources(full_plan, whole[0])] == ["receiver"]


@pytest.mark.parametrize(
    ("invoker", "open_to_all", "audience", "check"),
    [
        ("iam", set(), f"https://subscope-receiver-{NUMBER}.europe-west1.run.app", "platform"),
        ("public", {"service subscope-receiver"}, f"subscope-receiver.{PROJECT}", "receiver"),
    ],
)
def test_grant_audience_setting_and_ingress_agree(
    terraform: Terraform, invoker: str, open_to_all: set[str], audience: str, check: str
) -> None:
    running = 'subscriptions = { all = { topic = "all-of-it", start_running = true } }'
    plan = terraform.plan(
        f"invoker-{invoker}", f'project = "{PROJECT}"\nreceiver = {{ invoker = "{invoker}" }}\n{running}'
    )
    assert {on for member, _, on, _ in grants(plan) if member.startswith("all")} == open_to_all
    service = values(plan, "google_cloudfunctions2_function.receiver")["service_config"][0]
    assert service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
    environment = {**service["environment_variables"], **settings_file(plan)}
    settings = receiver_settings({**environment, "K_SERVICE": "subscope-receiver"})
    assert (settings.push_audience, settings.signature_check) == ((audience,), check)
    viewer = {variable["name"]: variable["value"] for variable in viewer_variables(plan)}
    assert viewer["PUSH_AUDIENCE"] == audience
    push = values(plan, 'google_pubsub_subscription.monitored["all"]')["push_config"][0]
    assert push["push_endpoint"] == viewer["PUSH_ENDPOINT"]
    assert push["oidc_token"][0]["audience"] == audience
    if invoker == "iam":
        assert push["push_endpoint"] == audience, "Cloud Run accepts the address that is pushed to"
    (member,) = [member for member, role, on, _ in grants(plan) if (role, on) == INVOKES_RECEIVER]
    assert member == ("allUsers" if open_to_all else f"serviceAccount:{push['oidc_token'][0]['service_account_email']}")


@pytest.mark.parametrize("is_off", [True, False])
def test_apply_fails_while_cloud_runs_check_is_off(
    terraform: Terraform, monkeypatch: pytest.MonkeyPatch, is_off: bool
) -> None:
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    monkeypatch.setitem(READ, "google_cloud_run_v2_service", {"invoker_iam_disabled": is_off})
    options = ["-input=false", "-auto-approve", "-no-color", f"-var=project={PROJECT}", f"-var=viewer_image={IMAGE}"]
    # The service is read after the function is made, and before the rest is.
    target = "-target=module.subscope.data.google_cloud_run_v2_service.receiver"
    done = terraform.run("apply", target, f"-state={terraform.state(f'off-{is_off}')}", *options, ok=(int(is_off),))
    words = " ".join(done.stderr.replace("│", " ").split())
    assert ("gcloud run services update subscope-receiver" in words) == is_off
