"""The arguments that a resource cannot change: another value replaces it. Pure.

From the schemas of the provider's source (ForceNew), which its bindings leave out.
"""

from typing import Any

from tests.support.terraform.offline.wire import UNKNOWN, field, message

# A grant is another grant as soon as anything in it differs.
_GRANT = "_iam_member"
_COMPUTED_BY_GRANTS = {"etag", "id"}
REPLACED_WITH: dict[str, frozenset[str]] = {
    kind: frozenset(arguments.split())
    for kind, arguments in {
        "google_artifact_registry_repository": "format kms_key_name location mode project repository_id",
        "google_billing_budget": "billing_account",
        "google_cloud_run_v2_service": "location name project",
        "google_cloud_run_v2_service_iam_policy": "location name project",
        "google_cloudbuild_trigger": "location project",
        "google_cloudfunctions2_function": "location name project",
        "google_firestore_backup_schedule": "daily_recurrence database project weekly_recurrence",
        "google_firestore_database": "cmek_config database_edition location_id name project",
        "google_firestore_field": "collection database field project",
        "google_firestore_index": "api_scope collection database density fields multikey project query_scope unique",
        "google_logging_metric": "project",
        "google_logging_project_exclusion": "name project",
        "google_monitoring_alert_policy": "project",
        "google_monitoring_dashboard": "project",
        "google_monitoring_notification_channel": "project",
        "google_project_iam_custom_role": "project role_id",
        "google_project_service": "project service",
        "google_project_service_identity": "project service",
        "google_pubsub_subscription": "enable_message_ordering filter name project topic",
        "google_pubsub_topic": "name project",
        "google_secret_manager_secret": "project replication secret_id",
        "google_secret_manager_secret_version": "secret secret_data secret_data_wo_version",
        "google_service_account": "account_id project",
        "google_storage_bucket": "location name project",
        "google_storage_bucket_object": "bucket name source",
        "time_sleep": "triggers",
    }.items()
}
Values = dict[str, Any]


def replacing(kind: str, old: Values, new: Values) -> list[str]:
    """Return the arguments that differ and that a resource cannot change; an unknown value counts as different."""
    fixed = REPLACED_WITH.get(kind, frozenset())
    if kind.endswith(_GRANT):
        fixed = frozenset(new) - _COMPUTED_BY_GRANTS
    return sorted(name for name in fixed if new.get(name) != old.get(name))


def attribute_path(name: str) -> bytes:
    """Write the AttributePath of an argument."""
    return message(2, field(1, message(1, name.encode())))


def with_unknown_id(planned: Values) -> Values:
    """Return the plan of a resource that replaces another: its id is known when it exists, even if it is the same."""
    return {**planned, "id": UNKNOWN}
