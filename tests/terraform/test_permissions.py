"""The custom roles contain exactly the permissions of the code's calls and of a plan's reads."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.rejections import Rejections
from infra.firestore.message_writer import chunk_write, delivery_write, message_write, rejection_write
from tests.support.terraform.indexes import pushed
from tests.support.terraform.runner import PROJECT, ROOT, imported_from, resources

# The permissions of each call: cloud.google.com/firestore/docs/security/iam#required_permissions and
# cloud.google.com/pubsub/docs/access-control#required_permissions. A set creates or updates a document.
_ENTITIES = "datastore.entities."
NEEDS = {
    # Google's document client and its batches.
    "create": {_ENTITIES + "create"},
    "delete": {_ENTITIES + "delete"},
    "get": {_ENTITIES + "get"},
    "get_all": {_ENTITIES + "get"},
    "set": {_ENTITIES + "create", _ENTITIES + "update"},
    "stream": {_ENTITIES + "get", _ENTITIES + "list"},
    "update": {_ENTITIES + "update"},
    # A commit needs the permissions of its writes.
    "commit": set(),
    # The raw calls. The receiver's writes delete nothing.
    "BatchGetDocuments": {_ENTITIES + "get"},
    "BatchWrite": {_ENTITIES + "create", _ENTITIES + "update"},
    "Commit": {_ENTITIES + "create", _ENTITIES + "update"},
    "batch_get_documents": {_ENTITIES + "get"},
    "listen": {_ENTITIES + "get", _ENTITIES + "list"},
    "run_aggregation_query": {_ENTITIES + "get", _ENTITIES + "list"},
    "run_query": {_ENTITIES + "get", _ENTITIES + "list"},
    # Pub/Sub
    "get_subscription": {"pubsub.subscriptions.get"},
    "modify_push_config": {"pubsub.subscriptions.update"},
    "publish": {"pubsub.topics.publish"},
    # Cloud Monitoring
    "timeSeries": {"monitoring.timeSeries.list"},
}
# Firestore requires it in addition to the calls (empty commits, transactions); it reveals no data.
BESIDE = {"datastore.databases.get"}
_BATCH = {"create", "delete", "set", "update"}


def calls(tree: ast.AST) -> Iterator[str]:
    """Yield a module's calls of Google: a client passes ``retry``, a raw call names an Rpc, a batch has writes."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), keywords=keywords) if "retry" in {
                keyword.arg for keyword in keywords
            }:
                yield name
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id="batch"))) if name in _BATCH:
                yield name
            case ast.Attribute(attr=name, value=ast.Attribute(attr="transport")) if name != "close":
                yield name
            case ast.Call(func=ast.Name(id="Rpc"), args=[path, *_]):
                yield ast.unparse(path).rpartition("/")[2].rstrip("'\"")
            case ast.Constant(value=str(text)):
                yield from re.findall(r"/(timeSeries)\b", text)


def needed(entry: str) -> set[str]:
    """Return the permissions that all modules imported from ``entry`` need."""
    permissions: set[str] = set(BESIDE)
    for path in imported_from(entry):
        for name in calls(ast.parse((ROOT / path).read_text())):
            assert name in NEEDS, f"{path} calls {name}: which permissions does that need?"
            permissions |= NEEDS[name]
    return permissions


def permissions(plan: dict[str, Any], role: str) -> set[str]:
    (held,) = [
        set(entry["values"]["permissions"])
        for entry in resources(plan, "google_project_iam_custom_role")
        if entry["values"]["name"] == f"projects/{PROJECT}/roles/subscope_{role}"
    ]
    return held


def test_receiver_has_exactly_the_permissions_of_its_calls(plan: dict[str, Any]) -> None:
    assert permissions(plan, "receiver") == needed("main.py")


def test_writes_of_the_receiver_delete_nothing() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    writes = [
        message_write("root", pushed(), chunks=0, shards=1, expire_at=now),
        chunk_write("root", "0" * 32, 0, b"x", now),
        delivery_write("root", "0" * 32, 1, 1),
        rejection_write("root", "0" * 32, []),
    ]
    assert {write.WhichOneof("operation") for write in writes} == {"update"}
    assert Rejections.__module__ in {path.removesuffix(".py").replace("/", ".") for path in imported_from("main.py")}


def test_viewer_has_exactly_the_permissions_of_its_calls(plan: dict[str, Any]) -> None:
    # Publishing is granted on single topics, those in publish_topics.
    granted = {permission for role in ("backlog", "delivery", "viewer") for permission in permissions(plan, role)}
    assert granted == needed("web/__init__.py") - {"pubsub.topics.publish"}
    assert {permission.partition(".")[0] for permission in permissions(plan, "viewer")} == {"datastore"}
    assert {permission.partition(".")[0] for permission in permissions(plan, "delivery")} == {"pubsub"}


DATA = {"google_artifact_registry_docker_image", "google_project", "google_storage_project_service_account"}
# The permissions for reading a resource, by type; empty where none is needed, or where a separate grant covers it.
READS = {
    "google_artifact_registry_docker_image": {"artifactregistry.dockerimages.list"},
    "google_artifact_registry_repository": {"artifactregistry.repositories.get"},
    "google_artifact_registry_repository_iam_member": {"artifactregistry.repositories.getIamPolicy"},
    # Reading needs a grant on the billing account.
    "google_billing_budget": set(),
    "google_cloud_run_v2_service": {"run.services.get"},
    "google_cloud_run_v2_service_iam_member": {"run.services.getIamPolicy"},
    "google_cloud_run_v2_service_iam_policy": {"run.services.getIamPolicy"},
    "google_cloudbuild_trigger": {"cloudbuild.builds.get"},
    "google_cloudfunctions2_function": {"cloudfunctions.functions.get"},
    "google_firestore_backup_schedule": {"datastore.backupSchedules.get"},
    "google_firestore_database": {"datastore.databases.getMetadata"},
    "google_firestore_field": {"datastore.indexes.get"},
    "google_firestore_index": {"datastore.indexes.get"},
    "google_iap_web_cloud_run_service_iam_member": {"iap.webServices.getIamPolicy"},
    "google_kms_crypto_key_iam_member": {"cloudkms.cryptoKeys.getIamPolicy"},
    "google_logging_metric": {"logging.logMetrics.get"},
    "google_logging_project_exclusion": {"logging.exclusions.get"},
    "google_monitoring_alert_policy": {"monitoring.alertPolicies.get"},
    "google_monitoring_dashboard": {"monitoring.dashboards.get"},
    "google_monitoring_notification_channel": {"monitoring.notificationChannels.get"},
    # The other permission is for user_project_override, which every call has.
    "google_project": {"resourcemanager.projects.get", "serviceusage.services.use"},
    "google_project_iam_custom_role": {"iam.roles.get"},
    "google_project_iam_member": {"resourcemanager.projects.getIamPolicy"},
    # The provider does not read it.
    "google_project_service_identity": set(),
    "google_project_service": {"serviceusage.services.get", "serviceusage.services.list"},
    "google_pubsub_subscription": {"pubsub.subscriptions.get"},
    "google_pubsub_subscription_iam_member": {"pubsub.subscriptions.getIamPolicy"},
    "google_pubsub_topic": {"pubsub.topics.get"},
    "google_pubsub_topic_iam_member": {"pubsub.topics.getIamPolicy"},
    "google_secret_manager_secret": {"secretmanager.secrets.get"},
    "google_secret_manager_secret_iam_member": {"secretmanager.secrets.getIamPolicy"},
    # Not the value: the provider does not read write-only values.
    "google_secret_manager_secret_version": {"secretmanager.versions.get"},
    "google_service_account": {"iam.serviceAccounts.get"},
    "google_service_account_iam_member": {"iam.serviceAccounts.getIamPolicy"},
    "google_storage_bucket": {"storage.buckets.get"},
    "google_storage_bucket_iam_member": {"storage.buckets.getIamPolicy"},
    "google_storage_bucket_object": set(),
    "google_storage_project_service_account": {"resourcemanager.projects.get"},
    "terraform_data": set(),
    "time_sleep": set(),
}


def test_planner_has_exactly_the_permissions_to_read_the_resources(
    plan: dict[str, Any], full_plan: dict[str, Any], company_plan: dict[str, Any]
) -> None:
    kinds = [{entry["type"] for entry in resources(any_plan)} for any_plan in (plan, full_plan, company_plan)]
    assert DATA.union(*kinds) == set(READS)
    keys = READS["google_kms_crypto_key_iam_member"]
    wanted = {permission for kind in DATA.union(*kinds[:2]) for permission in READS[kind]}
    assert permissions(full_plan, "planner") == wanted
    assert keys <= permissions(company_plan, "planner") <= wanted | keys


@pytest.mark.parametrize("word", ["create", "update", "delete", "set", "access", "entities", "objects", "logEntries"])
def test_planner_has_no_permission_to_change_or_to_read_data(full_plan: dict[str, Any], word: str) -> None:
    held = permissions(full_plan, "planner")
    assert not [permission for permission in held if re.search(rf"\b{word}", permission)]
    assert all(
        permission.rpartition(".")[2].startswith(("get", "list")) for permission in held - {"serviceusage.services.use"}
    )
