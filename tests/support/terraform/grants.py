"""The IAM grants of a plan."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.terraform.runner import PROJECT, resources

BUILD = f"serviceAccount:subscope-build@{PROJECT}.iam.gserviceaccount.com"
Grant = tuple[str, str, str, str]
SOURCES = (
    'resource.name.startsWith("projects/_/buckets/gcf-v2-") || '
    f'resource.name.startsWith("projects/_/buckets/{PROJECT}-subscope-source")'
)


# By type of resource: the kind of thing that a grant is on, and the attribute with its name.
ON = {
    "google_artifact_registry_repository_iam_member": ("repository", "repository"),
    "google_cloud_run_v2_service_iam_member": ("service", "name"),
    "google_iap_web_cloud_run_service_iam_member": ("iap", "cloud_run_service_name"),
    "google_kms_crypto_key_iam_member": ("key", "crypto_key_id"),
    "google_pubsub_subscription_iam_member": ("subscription", "subscription"),
    "google_pubsub_topic_iam_member": ("topic", "topic"),
    "google_secret_manager_secret_iam_member": ("secret", "secret_id"),
    "google_service_account_iam_member": ("account", "service_account_id"),
    "google_storage_bucket_iam_member": ("bucket", "bucket"),
}


def grants(plan: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield each planned grant: member, role, resource, and condition ("" for none)."""
    for entry in resources(plan):
        if "_iam_" not in entry["type"] or entry["type"].endswith("_custom_role"):
            continue
        granted = entry["values"]
        if entry["type"] == "google_cloud_run_v2_service_iam_policy":
            yield from _whole_policy(granted)
            continue
        if entry["type"] == "google_project_iam_member":
            on = "project"
        else:
            kind, attribute = ON[entry["type"]]
            on = f"{kind} {granted[attribute].rpartition('/')[2].partition('@')[0]}"
        conditions = [condition["expression"] for condition in granted.get("condition") or []]
        yield granted["member"], granted["role"], on, "".join(conditions)


def _whole_policy(granted: Mapping[str, Any]) -> Iterator[Grant]:
    for binding in json.loads(granted["policy_data"])["bindings"]:
        for member in binding["members"]:
            yield member, binding["role"], f"service {granted['name']}", ""
