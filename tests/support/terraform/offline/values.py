"""Values that a real provider would compute. Pure."""

import hashlib
from typing import Any

PROJECT = "stub-project"
_EMAIL = "{account_id}@{project}.iam.gserviceaccount.com"
_AGENT = "service-123456789012@gcp-sa-{service}.iam.gserviceaccount.com"
# Fixed by the inputs, so known in the plan.
_PLANNED = {
    "google_service_account": {
        "email": _EMAIL,
        "member": f"serviceAccount:{_EMAIL}",
        "name": f"projects/{{project}}/serviceAccounts/{_EMAIL}",
        "id": f"projects/{{project}}/serviceAccounts/{_EMAIL}",
    },
    "google_pubsub_topic": {"id": "projects/{project}/topics/{name}"},
    "google_pubsub_subscription": {"id": "projects/{project}/subscriptions/{name}"},
    "google_secret_manager_secret": dict.fromkeys(("id", "name"), "projects/{project}/secrets/{secret_id}"),
    "google_project_iam_custom_role": dict.fromkeys(("id", "name"), "projects/{project}/roles/{role_id}"),
    "google_project_service_identity": {"email": _AGENT, "member": f"serviceAccount:{_AGENT}"},
}
# Attributes of data sources, by type.
READ: dict[str, dict[str, Any]] = {
    "google_project": {"number": "123456789012", "project_id": PROJECT, "name": "stub"},
    "google_client_config": {"project": PROJECT, "region": "europe-west1"},
    "archive_file": {
        "output_md5": "0" * 32,
        "output_sha256": "0" * 64,
        "output_path": "stub.zip",
        "output_size": 1,
    },
}


def planned(kind: str, name: str, beside: dict[str, Any], project: str) -> str | None:
    """Return an attribute that follows from the inputs beside it; None if it is unknown before the apply."""
    template = _PLANNED.get(kind, {}).get(name)
    inputs = {name: value for name, value in beside.items() if isinstance(value, str)}
    inputs["project"] = inputs.get("project") or project
    inputs["service"] = inputs.get("service", "").split(".")[0]
    try:
        return template.format(**inputs) if template else None
    except KeyError:
        return None


def imported(path: str) -> dict[str, Any]:
    """Return a subscription that exists, without filter and ordering, of the topic with its name."""
    _, project, _, name = path.split("/")
    known = {"id": path, "project": project, "name": name, "topic": f"projects/{project}/topics/{name}"}
    return {**known, "enable_message_ordering": False}


def read(kind: str, name: str, beside: dict[str, Any]) -> Any:
    """Return an attribute of a data source, from the inputs beside it; None if any value will do."""
    if (kind, name) == ("google_artifact_registry_docker_image", "self_link"):
        image, _, _tag = beside["image_name"].partition(":")
        digest = hashlib.sha256(beside["image_name"].encode()).hexdigest()
        return (
            f"{beside['location']}-docker.pkg.dev/{beside['project']}/{beside['repository_id']}/{image}@sha256:{digest}"
        )
    return READ.get(kind, {}).get(name)


def invented(name: str, spec: dict[str, Any], salt: str = "") -> Any:
    """Return any value of an attribute's type."""
    match spec["type"]:
        case "string":
            return f"stub-{salt}{name}"
        case "number":
            return 0
        case "bool":
            return False
        case ["list" | "set", *_]:
            return []
        case ["map", *_]:
            return {}
        case _:
            return None
