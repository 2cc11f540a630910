"""The configuration of the two services on Cloud Run, and that each API is on before its resources are created."""

import re
import runpy
from typing import Any

import pytest

from functions.receiver import BUDGET_SECONDS
from tests.support.terraform.plan import dependencies, waits_for
from tests.support.terraform.runner import MODULE, ROOT, Terraform, resources, values

FUNCTION, VIEWER = "google_cloudfunctions2_function.receiver", "google_cloud_run_v2_service.viewer"
# The API of a resource, by the prefix of its type.
APIS = {
    "google_artifact_registry_": "artifactregistry",
    "google_billing_": "billingbudgets",
    "google_cloud_run_v2_": "run",
    "google_cloudbuild_": "cloudbuild",
    "google_cloudfunctions2_": "cloudfunctions",
    "google_firestore_": "firestore",
    "google_iap_": "iap",
    "google_logging_": "logging",
    "google_monitoring_": "monitoring",
    "google_project_iam_": "iam",
    "google_pubsub_": "pubsub",
    "google_secret_manager_": "secretmanager",
    "google_service_account": "iam",
    "google_storage_": "storage",
}
NEEDS_NO_API = {"google_project_service", "google_project_service_identity", "terraform_data", "time_sleep"}


def test_receiver_answers_before_the_timeouts_of_cloud_run_and_pubsub(full_plan: dict[str, Any]) -> None:
    service = values(full_plan, FUNCTION)["service_config"][0]
    deadlines = {
        entry["values"]["ack_deadline_seconds"] for entry in resources(full_plan, "google_pubsub_subscription")
    }
    least = re.search(r"ack_deadline_seconds >= (\d+)", (MODULE / "variables.tf").read_text())
    assert least
    assert BUDGET_SECONDS < service["timeout_seconds"] <= int(least[1]) <= min(deadlines)


def test_receiver_is_internal_and_serves_many_requests_at_once(full_plan: dict[str, Any]) -> None:
    service = values(full_plan, FUNCTION)["service_config"][0]
    assert service["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
    assert (service["max_instance_request_concurrency"], service["available_cpu"]) == (80, "1")
    assert (service["available_memory"], service["min_instance_count"], service["max_instance_count"]) == (
        "512Mi",
        0,
        10,
    )
    assert service["all_traffic_on_latest_revision"] is True
    build = values(full_plan, FUNCTION)["build_config"][0]
    assert (build["runtime"], build["entry_point"]) == ("python311", "receive")


def test_viewer_has_the_longest_timeout_of_cloud_run(full_plan: dict[str, Any]) -> None:
    viewer = values(full_plan, VIEWER)
    template = viewer["template"][0]
    assert (template["timeout"], template["session_affinity"]) == ("3600s", True)
    resources_ = template["containers"][0]["resources"][0]
    assert (resources_["limits"], resources_["cpu_idle"]) == ({"cpu": "1", "memory": "512Mi"}, True)
    assert template["scaling"][0]["max_instance_count"] == 3
    assert viewer["ingress"] == "INGRESS_TRAFFIC_ALL"


def test_probes_use_a_page_that_needs_no_firestore(full_plan: dict[str, Any]) -> None:
    container = values(full_plan, VIEWER)["template"][0]["containers"][0]
    startup, liveness = container["startup_probe"][0], container["liveness_probe"][0]
    assert {entry["http_get"][0]["path"] for entry in (startup, liveness)} == {"/healthz"}
    assert (startup["period_seconds"], startup["failure_threshold"]) == (1, 30)
    assert (liveness["period_seconds"], liveness["timeout_seconds"], liveness["failure_threshold"]) == (30, 5, 3)


def test_instance_without_cpu_misses_no_heartbeat_and_is_restarted_by_its_probe(
    full_plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between requests Cloud Run takes the CPU away, and gunicorn counts that time as well."""
    container = values(full_plan, VIEWER)["template"][0]["containers"][0]
    heartbeats = {}
    for name in ("", "subscope-viewer"):
        monkeypatch.setenv("K_SERVICE", name)
        heartbeats[name] = runpy.run_path(str(ROOT / "web/gunicorn.conf.py"))["timeout"]
    assert container["resources"][0]["cpu_idle"] is True
    assert heartbeats["subscope-viewer"] == 0, "gunicorn restarts no worker that stood still"
    # Without gunicorn's check, the probe must be there, and must find a hanging worker within minutes.
    (probe,) = container["liveness_probe"]
    assert probe["period_seconds"] * probe["failure_threshold"] <= 2 * heartbeats[""]


def test_resources_wait_for_their_api(terraform: Terraform) -> None:
    graph = dependencies(terraform)
    made = {name for name in graph if not name.startswith(("data.", "ephemeral.", "terraform_data."))}
    early = {name for name in made if "time_sleep.apis" not in waits_for(graph, name)}
    assert len(made) > 40
    assert early == {"google_project_service.apis"}, "they need depends_on = [time_sleep.apis]"


def test_api_of_each_resource_is_enabled(plan: dict[str, Any], full_plan: dict[str, Any]) -> None:
    for any_plan in (plan, full_plan):
        needed = set()
        for kind in {entry["type"] for entry in resources(any_plan)} - NEEDS_NO_API:
            (api,) = {api for prefix, api in APIS.items() if kind.startswith(prefix)}
            needed.add(f"{api}.googleapis.com")
        enabled = {entry["values"]["service"] for entry in resources(any_plan, "google_project_service")}
        # APIs without a resource here: tokens for pushes and for commands from a machine, builds, and their provenance.
        resourceless = {"iamcredentials", "cloudbuild", "containeranalysis"}
        assert enabled - needed <= {f"{api}.googleapis.com" for api in resourceless}
        assert needed <= enabled
