"""Which resources exist, over several runs of terraform: Google refuses to create a name twice."""

import threading
from typing import Any

Values = dict[str, Any]
# A name that two resources of a type cannot have at the same time. Grants, services and versions have none: creating
# one that exists is no error.
_UNIQUE = {
    "google_artifact_registry_repository": "{project}/{location}/{repository_id}",
    "google_cloud_run_v2_service": "{project}/{location}/{name}",
    "google_cloudbuild_trigger": "{project}/{location}/{name}",
    "google_cloudfunctions2_function": "{project}/{location}/{name}",
    "google_firestore_database": "{project}/{name}",
    "google_firestore_index": "{project}/{database}/{collection}/{fields}",
    "google_logging_metric": "{project}/{name}",
    "google_logging_project_exclusion": "{project}/{name}",
    "google_pubsub_subscription": "{project}/{name}",
    "google_pubsub_topic": "{project}/{name}",
    "google_secret_manager_secret": "projects/{project}/secrets/{secret_id}",
    "google_service_account": "{project}/{account_id}",
    "google_storage_bucket": "{name}",
}
# Also remembered. A field that is deleted gets its automatic indexes and loses its expiry.
_OTHERS = {
    "google_firestore_field": "{project}/{database}/{collection}/{field}",
    "google_secret_manager_secret_version": "{secret}/versions/{id}",
    "google_storage_bucket_object": "{bucket}/{name}",
}
# They are deleted with the resource whose name begins theirs.
_PARTS = {
    "google_secret_manager_secret": "google_secret_manager_secret_version",
    "google_storage_bucket": "google_storage_bucket_object",
}


class ExistingResources:
    """The resources that exist in Google Cloud, by type and name."""

    def __init__(self, names: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._lock = threading.Lock()
        self._names = set(names)

    def copy(self) -> "ExistingResources":
        """Return the same resources, which change separately."""
        return ExistingResources(frozenset(self._names))

    def kinds(self) -> set[str]:
        """Return the types of which there is a resource."""
        return {kind for kind, _ in self._names}

    def of(self, kind: str) -> set[str]:
        """Return the names of the resources of one type."""
        return {name for one, name in self._names if one == kind}

    def apply(self, kind: str, old: Values | None, new: Values | None) -> str:
        """Create, change or delete a resource; return Google's error, empty for none."""
        form = _UNIQUE.get(kind) or _OTHERS.get(kind)
        if not form:
            return ""
        with self._lock:
            if new is None:
                self._delete(kind, form, old or {})
                return ""
            return self._create(kind, form.format(**new), new) if old is None else ""

    def _create(self, kind: str, name: str, new: Values) -> str:
        if kind in _UNIQUE and (kind, name) in self._names:
            return f"googleapi: Error 409: {name} already exists."
        if kind == "google_cloudfunctions2_function" and (missing := self._missing_source(new)):
            return f"googleapi: Error 400: {missing} does not exist."
        self._names.add((kind, name))
        return ""

    def _missing_source(self, function: Values) -> str:
        (source,) = function["build_config"][0]["source"][0]["storage_source"]
        name = f"{source['bucket']}/{source['object']}"
        return "" if ("google_storage_bucket_object", name) in self._names else name

    def _delete(self, kind: str, form: str, old: Values) -> None:
        if old.get("deletion_policy") == "ABANDON":
            return
        name = form.format(**old)
        self._names -= {(kind, name)}
        self._names -= {part for part in self._names if part[0] == _PARTS.get(kind) and part[1].startswith(f"{name}/")}
