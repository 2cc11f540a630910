"""The smoke test of an apply: it checks who can reach the services, and reports a wrong answer."""

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from functions.envelope import parse_push
from infra.errors import EnvelopeError
from infra.local.token_signer import Signer
from infra.settings import receiver_settings
from tests.support.receiver.stage import Stage
from tests.support.terraform.plan import receiver_environment, settings_file
from tests.support.terraform.runner import DEPLOYMENT, PROJECT, Terraform, values

# A curl that prints FORGED for a token without a signature and keeps its arguments, WITH_TOKEN for any other token, 404
# for the receiver, and VIEWER for the viewer.
CURL = """#!/bin/sh
case "$*" in
  *SIGNATURE_REMOVED*) printf '%s' "$FORGED"; printf '%s\\n' "$@" > "$SENT" ;;
  *Authorization*) printf "$WITH_TOKEN" ;;
  *-receiver-*) printf 404 ;;
  *) printf "$VIEWER" ;;
esac
"""
# A gcloud that knows the callers of the receiver, and whether Cloud Run's check of them is off.
GCLOUD = """#!/bin/sh
case "$*" in
  *get-iam-policy*) echo "$CALLERS" ;;
  *"services describe"*) echo "$OFF" ;;
  *) echo "gcloud $*" ;;
esac
"""
PUSH = f"subscope-push@{PROJECT}.iam.gserviceaccount.com"
STOPPED = "404 text/html; charset=UTF-8"


@pytest.fixture(scope="module")
def scripts(plan: dict[str, Any], full_plan: dict[str, Any], private_plan: dict[str, Any]) -> dict[str, str]:
    plans = {"public": plan, "iap": full_plan, "private": private_plan}
    return {name: planned["planned_values"]["outputs"]["smoke_test"]["value"] for name, planned in plans.items()}


def run(
    script: str,
    directory: Path,
    viewer: str,
    with_token: str = "",
    forged: str = STOPPED,
    callers: str = f"serviceAccount:{PUSH}",
    off: str = "",
) -> subprocess.CompletedProcess[str]:
    for name, text in (("curl", CURL), ("gcloud", GCLOUD)):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    answers = {"VIEWER": viewer, "WITH_TOKEN": with_token, "FORGED": forged, "CALLERS": callers, "OFF": off}
    environ = {"PATH": f"{directory}:/usr/bin:/bin", "SENT": str(directory / "sent"), **answers}
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


@pytest.mark.parametrize(
    ("forged", "passes"),
    [
        (STOPPED, True),
        ("403 text/html; charset=UTF-8", True),
        ("401 text/html; charset=UTF-8", True),
        # The receiver's own refusals, and an acceptance: then the service is open.
        ("400 text/plain; charset=utf-8", False),
        ("401 text/plain; charset=utf-8", False),
        ("403 text/plain; charset=utf-8", False),
        ("204 ", False),
        ("000 ", False),
    ],
)
def test_forged_token_must_be_stopped_before_the_receiver(
    scripts: dict[str, str], tmp_path: Path, forged: str, passes: bool
) -> None:
    done = run(scripts["public"], tmp_path, "200", forged=forged)
    assert done.stderr == ""
    assert (done.returncode == 0) == passes, done.stdout


@pytest.mark.parametrize(
    ("callers", "off"),
    [
        (f"serviceAccount:{PUSH},allUsers", ""),
        ("allUsers", ""),
        ("", ""),
        (f"serviceAccount:{PUSH}", "true"),
    ],
)
def test_open_receiver_fails_the_smoke_test(scripts: dict[str, str], tmp_path: Path, callers: str, off: str) -> None:
    assert run(scripts["public"], tmp_path, "200", callers=callers, off=off).returncode == 1
    assert run(scripts["public"], tmp_path, "200", off="false").returncode == 0


def test_forged_token_would_be_accepted_by_an_open_receiver_and_still_store_nothing(
    scripts: dict[str, str], tmp_path: Path, plan: dict[str, Any]
) -> None:
    """A token that the receiver refuses anyway would prove nothing about Cloud Run."""
    run(scripts["public"], tmp_path, "200")
    sent = (tmp_path / "sent").read_text().splitlines()
    (authorization,) = [one.partition(": ")[2] for one in sent if one.startswith("Authorization: ")]
    environment = {**receiver_environment(plan), **settings_file(plan)}
    settings = receiver_settings({**environment, "K_SERVICE": "subscope-receiver"})
    stage = Stage(Signer(), settings.push_audience, "platform", settings.push_service_account)
    stage.now = time.time()
    assert stage.judge(authorization) == 204
    with pytest.raises(EnvelopeError):
        parse_push(sent[sent.index("--data") + 1].encode())


def test_receiver_that_verifies_itself_gets_no_forged_token(terraform: Terraform, tmp_path: Path) -> None:
    public = terraform.plan("smoked", f'project = "{PROJECT}"\nreceiver = {{ invoker = "public" }}')
    done = run(public["planned_values"]["outputs"]["smoke_test"]["value"], tmp_path, "200", callers="allUsers")
    assert (done.returncode, (tmp_path / "sent").exists()) == (0, False)
