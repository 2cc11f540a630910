"""docs/deployment-gcloud.md creates the same APIs, roles, grants, settings, sizes and indexes as the module."""

import re
import subprocess
from typing import Any

import pytest

from tests.support.pages import blocks, read
from tests.support.terraform.grants import BUILD, SOURCES, Grant, grants
from tests.support.terraform.indexes import FILE, held_indexes, overrides
from tests.support.terraform.plan import receiver_environment, settings_file, viewer_variables
from tests.support.terraform.runner import NUMBER, PROJECT, resources, values

PAGE = read("docs/deployment-gcloud.md")
RECEIVER = f"serviceAccount:subscope-receiver@{PROJECT}.iam.gserviceaccount.com"
ROLE = "google_project_iam_custom_role"
# A gcloud that writes the words of each call on a line, and knows the project's number.
GCLOUD = """#!/bin/sh
printf '%s\\037' "$@" >> "$CALLS"
echo >> "$CALLS"
case "$*" in *projectNumber*) echo "$NUMBER" ;; esac
"""
ON = {"projects": "project", "iam service-accounts": "account", "pubsub topics": "topic", "secrets": "secret"}
ON |= {"pubsub subscriptions": "subscription", "run services": "service"}


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The words of each gcloud call when the page's commands run in one shell."""
    directory = tmp_path_factory.mktemp("typed")
    (directory / "gcloud").write_text(GCLOUD)
    (directory / "gcloud").chmod(0o755)
    text = "".join(blocks("sh", PAGE))
    environ = {"PATH": f"{directory}:/usr/bin:/bin", "CALLS": str(directory / "calls"), "NUMBER": NUMBER}
    done = subprocess.run(["sh", "-euc", text], cwd=directory, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.rstrip("\x1f").split("\x1f") for line in (directory / "calls").read_text().splitlines()]


def flags(typed: list[list[str]], *begin: str) -> dict[str, str]:
    """Return the flags of the one call that begins with these words."""
    (call,) = [words for words in typed if words[: len(begin)] == list(begin)]
    return {word.partition("=")[0]: word.partition("=")[2] for word in call if word.startswith("--")}


def granted(words: list[str]) -> Grant:
    verb = words.index("add-iam-policy-binding")
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words[verb:]}
    kind = ON[" ".join(words[:verb])]
    on = "project" if kind == "project" else f"{kind} {words[verb + 1].partition('@')[0]}"
    condition = given.get("--condition", "None").partition("expression=")[2]
    return given["--member"], given["--role"], on, condition


def test_grants_are_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    wanted = {
        *grants(plan),
        # With gcloud, for all repositories and buckets of the project.
        (BUILD, "roles/artifactregistry.writer", "project", ""),
        (BUILD, "roles/storage.objectViewer", "project", ""),
    }
    wanted -= {
        (BUILD, "roles/artifactregistry.writer", "repository subscope", ""),
        (BUILD, "roles/storage.objectViewer", "project", SOURCES),
        # With gcloud there is no settings file.
        (RECEIVER, "roles/secretmanager.secretAccessor", "secret subscope-receiver-settings", ""),
    }
    assert sorted(granted(words) for words in typed if "add-iam-policy-binding" in words) == sorted(wanted)
    assert "--no-allow-unauthenticated" in flags(typed, "functions", "deploy", "subscope-receiver")


def test_settings_of_both_services_are_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    receiver = flags(typed, "functions", "deploy", "subscope-receiver")
    viewer = flags(typed, "run", "deploy", "subscope-viewer")
    of_viewer = {variable["name"]: variable["value"] for variable in viewer_variables(plan)}
    # With gcloud there is no settings file: a change of the environment is one command.
    of_receiver = {**receiver_environment(plan), **settings_file(plan)}
    for given, planned in ((receiver, of_receiver), (viewer, of_viewer)):
        settings = dict(pair.split("=", 1) for pair in given["--set-env-vars"].split(","))
        assert settings == {name: planned[name] for name in settings}
        assert {"GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "SUBSCRIPTIONS"} <= set(settings)
    assert "PUSH_ENDPOINT=" in viewer["--set-env-vars"]
    assert "SIGNATURE_CHECK=platform" in receiver["--set-env-vars"]
    assert viewer["--set-secrets"] == "SECRET_KEY=subscope-session-key:1,ADMIN_PASSWORD=subscope-admin-password:1"


def test_sizes_of_both_services_are_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    given = flags(typed, "functions", "deploy", "subscope-receiver")
    service = values(plan, "google_cloudfunctions2_function.receiver")["service_config"][0]
    assert (given["--concurrency"], given["--timeout"]) == (
        str(service["max_instance_request_concurrency"]),
        f"{service['timeout_seconds']}s",
    )
    assert (given["--cpu"], given["--memory"]) == (service["available_cpu"], service["available_memory"])
    assert (given["--max-instances"], given["--ingress-settings"]) == ("10", "internal-only")
    given = flags(typed, "run", "deploy", "subscope-viewer")
    template = values(plan, "google_cloud_run_v2_service.viewer")["template"][0]
    assert f"{given['--timeout']}s" == template["timeout"]
    assert given["--concurrency"] == str(template["max_instance_request_concurrency"])
    assert {"--session-affinity", "--no-invoker-iam-check"} <= set(given)
    (probe,) = template["containers"][0]["liveness_probe"]
    assert given["--liveness-probe"] == ",".join(
        (
            f"httpGet.path={probe['http_get'][0]['path']}",
            f"periodSeconds={probe['period_seconds']}",
            f"timeoutSeconds={probe['timeout_seconds']}",
            f"failureThreshold={probe['failure_threshold']}",
        )
    )
    limits = template["containers"][0]["resources"][0]["limits"]
    assert (given["--cpu"], given["--memory"]) == (limits["cpu"], limits["memory"])


def test_subscription_is_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    given = flags(typed, "pubsub", "subscriptions", "create", "builds-monitor")
    made = values(plan, 'google_pubsub_subscription.monitored["builds-monitor"]')
    days = int(made["message_retention_duration"].rstrip("s")) // 86_400
    assert given == {
        "--topic": "builds",
        "--ack-deadline": str(made["ack_deadline_seconds"]),
        "--message-retention-duration": f"{days}d",
        "--expiration-period": "never",
        "--min-retry-delay": made["retry_policy"][0]["minimum_backoff"],
        "--max-retry-delay": made["retry_policy"][0]["maximum_backoff"],
        "--dead-letter-topic": "builds-monitor-dead-letter",
        "--max-delivery-attempts": str(made["dead_letter_policy"][0]["max_delivery_attempts"]),
    }
    dead = flags(typed, "pubsub", "subscriptions", "create", "builds-monitor-dead-letter-monitor")
    assert (dead["--message-retention-duration"], dead["--expiration-period"]) == ("31d", "never")


def test_enabled_apis_are_the_same(plan: dict[str, Any]) -> None:
    (line,) = re.findall(r"^gcloud services enable (.*)$", PAGE, re.MULTILINE)
    enabled = {entry["values"]["service"] for entry in resources(plan, "google_project_service")}
    assert set(line.split()) == enabled


def test_fields_without_index_and_with_expiry_are_the_same() -> None:
    groups: list[str] = []
    fields: list[str] = []
    exempt: dict[str, set[str]] = {}
    expiring: set[str] = set()
    for line in PAGE.splitlines():
        if loop := re.match(r"for (group|field) in (.*); do$", line):
            groups, fields = (loop[2].split(), []) if loop[1] == "group" else ([], loop[2].split())
        elif update := re.search(r"indexes fields update (\S+) --collection-group=(\S+) --disable-indexes", line):
            for group in groups if "${" in update[2] else [update[2]]:
                exempt.setdefault(group, set()).update(fields if "${" in update[1] else [update[1]])
        elif "fields ttls update expire_at" in line:
            expiring |= set(groups)
    assert exempt == overrides()
    assert expiring == {override["collectionGroup"] for override in FILE["fieldOverrides"] if override.get("ttl")}


def test_field_is_changed_after_its_expiry_is_on() -> None:
    """Both are operations of minutes on the same field."""
    assert "--async" not in re.findall(r"firestore fields ttls update .*", PAGE)[0]
    assert PAGE.index("fields ttls update") < PAGE.index("indexes fields update")


def test_database_and_its_backups_are_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    of_firestore = [words for words in typed if words[0] == "firestore"]
    database = values(plan, "google_firestore_database.this[0]")["name"]
    assert [words for words in of_firestore if f"--database={database}" not in words] == []
    schedule = flags(typed, "firestore", "backups", "schedules", "create")
    (wanted,) = resources(plan, "google_firestore_backup_schedule")
    days = int(wanted["values"]["retention"].rstrip("s")) // 86_400
    assert (schedule["--recurrence"], schedule["--retention"]) == (wanted["index"], f"{days}d")


def test_roles_and_indexes_are_the_same(plan: dict[str, Any]) -> None:
    created = dict(re.findall(r"iam roles create (\w+) --project=\S+ --permissions=(\S+)", PAGE))
    roles = {entry["values"]["role_id"]: entry["values"]["permissions"] for entry in resources(plan, ROLE)}
    assert {name: sorted(held.split(",")) for name, held in created.items()} == {
        name: sorted(held) for name, held in roles.items()
    }
    indexes = []
    for line in re.findall(r"indexes composite create --collection-group=messages (.*)", PAGE):
        parts = re.findall(r"field-path=(\w+),(?:order|array-config)=(\w+)", line)
        indexes.append(tuple((name, direction.upper()) for name, direction in parts))
    assert sorted(indexes) == sorted(held_indexes())
