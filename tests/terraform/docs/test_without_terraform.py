"""What README.md, Without Terraform, types into gcloud makes the same grants, settings and sizes as the module."""

import subprocess
from typing import Any

import pytest

from tests.support.terraform.grants import BUILD, SOURCES, Grant, grants
from tests.support.terraform.plan import receiver_environment, viewer_variables
from tests.support.terraform.readme import blocks, without_terraform
from tests.support.terraform.runner import NUMBER, values

# A gcloud that notes its words, each call on a line, and knows the project's number.
GCLOUD = """#!/bin/sh
printf '%s\\037' "$@" >> "$CALLS"
echo >> "$CALLS"
case "$*" in *projectNumber*) echo "$NUMBER" ;; esac
"""
ON = {"projects": "project", "iam service-accounts": "account", "pubsub topics": "topic", "secrets": "secret"}
ON["pubsub subscriptions"] = "subscription"


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The words of each gcloud call when somebody pastes the section into a shell."""
    directory = tmp_path_factory.mktemp("typed")
    (directory / "gcloud").write_text(GCLOUD)
    (directory / "gcloud").chmod(0o755)
    text = "".join(blocks("sh", without_terraform()))
    environ = {"PATH": f"{directory}:/usr/bin:/bin", "CALLS": str(directory / "calls"), "NUMBER": NUMBER}
    done = subprocess.run(["sh", "-euc", text], cwd=directory, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.rstrip("\x1f").split("\x1f") for line in (directory / "calls").read_text().splitlines()]


def flags(typed: list[list[str]], *begin: str) -> dict[str, str]:
    """The flags of the one call that begins with these words."""
    (found,) = [words for words in typed if words[: len(begin)] == list(begin)]
    return {word.partition("=")[0]: word.partition("=")[2] for word in found if word.startswith("--")}


def granted(words: list[str]) -> Grant:
    verb = words.index("add-iam-policy-binding")
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words[verb:]}
    kind = ON[" ".join(words[:verb])]
    on = "project" if kind == "project" else f"{kind} {words[verb + 1].partition('@')[0]}"
    condition = given.get("--condition", "None").partition("expression=")[2]
    return given["--member"], given["--role"], on, condition


def test_the_same_is_granted(typed: list[list[str]], plan: dict[str, Any]) -> None:
    wanted = {
        *grants(plan),
        # The whole project's repositories and buckets.
        (BUILD, "roles/artifactregistry.writer", "project", ""),
        (BUILD, "roles/storage.objectViewer", "project", ""),
    }
    wanted -= {
        (BUILD, "roles/artifactregistry.writer", "repository subscope", ""),
        (BUILD, "roles/storage.objectViewer", "project", SOURCES),
        # A flag of the function.
        ("allUsers", "roles/run.invoker", "service subscope-receiver", ""),
    }
    assert sorted(granted(words) for words in typed if "add-iam-policy-binding" in words) == sorted(wanted)
    assert "--allow-unauthenticated" in flags(typed, "functions", "deploy", "subscope-receiver")


def test_both_services_read_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
    receiver = flags(typed, "functions", "deploy", "subscope-receiver")
    viewer = flags(typed, "run", "deploy", "subscope-viewer")
    of_viewer = {one["name"]: one["value"] for one in viewer_variables(plan)}
    for given, planned in ((receiver, receiver_environment(plan)), (viewer, of_viewer)):
        settings = dict(one.split("=", 1) for one in given["--set-env-vars"].split(","))
        assert settings == {name: planned[name] for name in settings}
        assert {"GOOGLE_CLOUD_PROJECT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "SUBSCRIPTIONS"} <= set(settings)
    assert "PUSH_ENDPOINT=" in viewer["--set-env-vars"]
    assert viewer["--set-secrets"] == "SECRET_KEY=subscope-session-key:1,ADMIN_PASSWORD=subscope-admin-password:1"


def test_both_services_have_the_same_size(typed: list[list[str]], plan: dict[str, Any]) -> None:
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
    limits = template["containers"][0]["resources"][0]["limits"]
    assert (given["--cpu"], given["--memory"]) == (limits["cpu"], limits["memory"])


def test_the_subscription_is_the_same(typed: list[list[str]], plan: dict[str, Any]) -> None:
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
