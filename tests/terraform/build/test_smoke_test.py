"""The smoke test of an apply: it checks who can reach the services, and reports a wrong answer."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import DEPLOYMENT, PROJECT, Terraform, values

# A curl that prints VIEWER for the viewer, WITH_TOKEN for a request with a token, and 404 for the receiver.
CURL = """#!/bin/sh
case "$*" in
  *Authorization*) printf "$WITH_TOKEN" ;;
  *-receiver-*) printf 404 ;;
  *) printf "$VIEWER" ;;
esac
"""
GCLOUD = """#!/bin/sh
echo "gcloud $*"
"""


@pytest.fixture(scope="module")
def scripts(plan: dict[str, Any], full_plan: dict[str, Any], private_plan: dict[str, Any]) -> dict[str, str]:
    plans = {"public": plan, "iap": full_plan, "private": private_plan}
    return {name: planned["planned_values"]["outputs"]["smoke_test"]["value"] for name, planned in plans.items()}


def run(script: str, directory: Path, viewer: str, with_token: str = "") -> subprocess.CompletedProcess[str]:
    for name, text in (("curl", CURL), ("gcloud", GCLOUD)):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    environ = {"PATH": f"{directory}:/usr/bin:/bin", "VIEWER": viewer, "WITH_TOKEN": with_token}
    return subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("access", "viewer", "with_token", "passes"),
    [
        ("public", "200", "", True),
        ("public", "403", "", False),
        ("iap", "302", "", True),
        ("iap", "200", "", False),
        ("private", "403", "200", True),
        ("private", "200", "200", False),
        ("private", "403", "403", False),
    ],
)
def test_smoke_test_passes_only_with_the_right_access(
    scripts: dict[str, str], tmp_path: Path, access: str, viewer: str, with_token: str, passes: bool
) -> None:
    done = run(scripts[access], tmp_path, viewer, with_token)
    assert done.stderr == ""
    assert (done.returncode == 0) == passes, done.stdout
    assert ("and should be" in done.stdout) != passes
    # The rest runs after a wrong answer as well.
    assert "topics publish" in done.stdout
    assert "logging read" in done.stdout


def test_smoke_test_prints_the_proxy_command_of_a_private_viewer(scripts: dict[str, str], tmp_path: Path) -> None:
    proxy = f"gcloud run services proxy subscope-viewer --project={PROJECT} --region=europe-west1"
    assert proxy in run(scripts["private"], tmp_path, "403", "200").stdout
    assert proxy not in run(scripts["public"], tmp_path, "200").stdout


def test_smoke_test_lists_only_refusals_of_this_receiver(
    scripts: dict[str, str], tmp_path: Path, plan: dict[str, Any]
) -> None:
    counted = values(plan, "google_logging_metric.refused_pushes")["filter"]
    assert "service_name=" in counted
    assert f"logging read {counted} " in run(scripts["public"], tmp_path, "200").stdout
    assert f"gcloud logging read '{counted}' " in (DEPLOYMENT / "README.md").read_text()


@pytest.mark.parametrize(
    ("others", "topic", "has_warning"),
    [
        ('second = { topic = "everything" }', "everything", False),
        ('second = { topic = "everything", filter = "attributes:b" }', "some", True),
    ],
)
def test_message_goes_to_a_subscription_without_filter_or_has_a_warning(
    terraform: Terraform, tmp_path: Path, others: str, topic: str, has_warning: bool
) -> None:
    first = 'first = { topic = "some", filter = "attributes:a" }'
    plan = terraform.plan("filtered", f'project = "{PROJECT}"\nsubscriptions = {{\n{first}\n{others}\n}}')
    printed = run(plan["planned_values"]["outputs"]["smoke_test"]["value"], tmp_path, "200").stdout
    assert f"topics publish projects/{PROJECT}/topics/{topic} " in printed
    assert ("unless the filter of first keeps it out" in printed) == has_warning
