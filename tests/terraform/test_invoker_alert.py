"""The alert on changed callers of the receiver: its filter, decided for entries of two logs."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from infra.errors import TokenError
from tests.support.terraform.runner import PROJECT, Terraform, resources, values

ALERT = "google_monitoring_alert_policy.receiver_opened[0]"
NAME = f"projects/{PROJECT}/locations/europe-west1/services/subscope-receiver"
DISABLED = "run.googleapis.com/invoker-iam-disabled"
TERM = re.compile(r'log_id\("(?P<log>[^"]+)"\)|(?P<path>[\w.]+(?:"[^"]+")?)(?P<sign>=~|=)(?P<value>"[^"]*"|true)')


def audited(method: str, request: Mapping[str, object] | None = None, name: str = NAME) -> dict[str, Any]:
    """An entry of the Admin Activity log (cloud.google.com/run/docs/audit-logging), in the form of the Logging API."""
    return {
        "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": "subscope-receiver"}},
        "protoPayload": {
            "serviceName": "run.googleapis.com",
            "methodName": method,
            "resourceName": name,
            "request": request or {},
        },
    }


def logged(reason: str) -> dict[str, Any]:
    """A line of the receiver's log."""
    return {
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fstderr",
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": "subscope-receiver"}},
        "jsonPayload": {"reason": reason},
    }


def field(entry: Mapping[str, Any], path: str) -> object:
    found: Any = entry
    for part in re.findall(r'"[^"]+"|\w+', path):
        found = found.get(part.strip('"')) if isinstance(found, Mapping) else None
    return found


def term(entry: Mapping[str, Any], found: re.Match[str]) -> bool:
    """Decide one comparison (cloud.google.com/logging/docs/view/logging-query-language)."""
    if found["log"]:
        return str(entry["logName"]).endswith("/logs/" + found["log"].replace("/", "%2F"))
    value = field(entry, found["path"])
    if found["sign"] == "=~":
        return isinstance(value, str) and re.search(json.loads(found["value"]), value) is not None
    return bool(value == json.loads(found["value"]))


def matches(expression: str, entry: Mapping[str, Any]) -> bool:
    """Decide a filter of comparisons, AND, OR and parentheses."""
    decided = TERM.sub(lambda found: str(term(entry, found)), expression)
    tokens = decided.replace("AND", "and").replace("OR", "or")
    assert re.fullmatch(r"(?:True|False|and|or|[() ])+", tokens), tokens
    return bool(eval(tokens))


@pytest.fixture(scope="module")
def expression(plan: dict[str, Any]) -> str:
    condition = values(plan, ALERT)["conditions"][0]["condition_matched_log"][0]
    text: str = condition["filter"]
    return text


OFF = {"metadata": {"annotations": {DISABLED: "true"}}}
NAMESPACED = f"namespaces/{PROJECT}/services/subscope-receiver"


@pytest.mark.parametrize(
    ("alerts", "entry"),
    [
        (True, audited("google.cloud.run.v1.Services.SetIamPolicy")),
        (True, audited("google.cloud.run.v2.Services.SetIamPolicy")),
        (True, audited("google.cloud.run.v1.Services.ReplaceService", {"service": OFF}, NAMESPACED)),
        (True, audited("google.cloud.run.v2.Services.UpdateService", {"service": {"invokerIamDisabled": True}})),
        (True, logged("service_open")),
        # Every deployment of the function is an update of its service.
        (False, audited("google.cloud.run.v1.Services.ReplaceService", {"service": {"metadata": {}}}, NAMESPACED)),
        (False, audited("google.cloud.run.v2.Services.UpdateService", {"service": {"invokerIamDisabled": False}})),
        (False, audited("google.cloud.run.v2.Services.UpdateService", {"service": {"template": {}}})),
        (False, audited("google.cloud.run.v2.Services.GetIamPolicy")),
        (False, audited("google.cloud.run.v2.Jobs.SetIamPolicy")),
        (False, logged("signature")),
    ],
)
def test_alert_is_about_changes_that_open_the_receiver(expression: str, alerts: bool, entry: dict[str, Any]) -> None:
    assert matches(expression, entry) == alerts


@pytest.mark.parametrize("service", ["subscope-viewer", "other-subscope-receiver", "subscope-receiver-2"])
def test_alert_ignores_other_services(expression: str, service: str) -> None:
    name = NAME.replace("subscope-receiver", service)
    assert not matches(expression, audited("google.cloud.run.v1.Services.SetIamPolicy", name=name))


def test_entry_of_another_log_is_no_alert(expression: str) -> None:
    entry = audited("google.cloud.run.v1.Services.SetIamPolicy")
    reads = f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access"
    assert not matches(expression, {**entry, "logName": reads})


def test_alert_has_a_recipient_and_the_rate_limit_that_log_alerts_need(
    plan: dict[str, Any], full_plan: dict[str, Any]
) -> None:
    # The reference of alert policies requires the limit for conditions on logs.
    assert values(plan, ALERT)["alert_strategy"][0]["notification_rate_limit"] == [{"period": "300s"}]
    (change,) = [entry["change"] for entry in full_plan["resource_changes"] if entry["address"].endswith(ALERT)]
    assert len(change["after_unknown"]["notification_channels"]) == 1, "the channel is not known before it is made"


def test_receiver_that_verifies_itself_needs_no_such_alert(terraform: Terraform) -> None:
    public = terraform.plan("public", f'project = "{PROJECT}"\nreceiver = {{ invoker = "public" }}')
    assert "receiver_opened" not in {entry["name"] for entry in resources(public)}


def test_alert_names_the_reason_that_the_receiver_logs() -> None:
    assert TokenError("service_open", "").reason == logged("service_open")["jsonPayload"]["reason"]
