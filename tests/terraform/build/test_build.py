"""The apply builds the viewer's image, shows why a build failed, tries again, and deploys the digest."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.applied import Applied
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.runner import CALL, MODULE, PROJECT, ROOT, Terraform, values

# A gcloud that records its words; its first builds fail. A sleep that only records.
PROGRAMS = {
    "gcloud": """#!/bin/sh
echo "gcloud $*" >> {calls}
builds=$(grep -c "^gcloud builds submit" {calls})
case "$1 $2" in
  "builds submit") echo "build-${{builds}}" ;;
  "builds describe")
    if [ "$(grep -c "^gcloud builds describe build-${{builds}}" {calls})" = 1 ]; then echo WORKING
    elif [ "${{builds}}" -gt {failing} ]; then echo SUCCESS
    else echo FAILURE; fi ;;
  "logging read") echo "the line that says why" ;;
esac
""",
    "sleep": """#!/bin/sh
echo "sleep $*" >> {calls}
""",
}
ONE_BUILD = ["builds submit", "builds describe", "sleep 5", "builds describe"]
FAILED = [*ONE_BUILD, "sleep 10", "logging read"]
BUILT = f'project = "{PROJECT}"\n'


def programs(directory: Path, failing: int) -> Path:
    """Write the programs; the first ``failing`` builds fail."""
    for name, text in PROGRAMS.items():
        (directory / name).write_text(text.format(calls=directory / "calls", failing=failing))
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def built(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> tuple[Applied, Path]:
    """A deployment with an image that the apply has built; and gcloud."""
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    gcloud = programs(tmp_path_factory.mktemp("gcloud"), failing=0)
    deployment = Applied(terraform, terraform.state("built"), ExistingResources())
    deployment.run("apply", BUILT, "-auto-approve", programs=gcloud)
    return deployment, gcloud


@pytest.mark.parametrize(
    ("failing", "status", "wanted"),
    [(0, 0, ONE_BUILD), (1, 0, [*FAILED, "sleep 60", *ONE_BUILD]), (2, 1, [*FAILED, "sleep 60", *FAILED])],
)
def test_failed_build_shows_its_log_and_is_tried_again_after_a_minute(
    tmp_path: Path, failing: int, status: int, wanted: list[str]
) -> None:
    environ = {
        "PATH": f"{programs(tmp_path, failing)}:/usr/bin:/bin",
        "ACCOUNT": "projects/p/serviceAccounts/a",
        "IMAGE": "europe-west1-docker.pkg.dev/p/subscope/viewer:1",
        "POOL": "",
        "PROJECT": "p",
        "REGION": "europe-west1",
        "STAGING": "gs://p/builds",
    }
    done = subprocess.run(
        ["sh", str(MODULE / "build_viewer_image.sh")], env=environ, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == status
    assert done.stdout.count("the line that says why") == failing
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [" ".join(call.removeprefix("gcloud ").split()[:2]) for call in calls] == wanted


def test_apply_builds_the_image_of_its_sources(built: tuple[Applied, Path]) -> None:
    _, gcloud = built
    submit = (gcloud / "calls").read_text().splitlines()[0]
    assert submit.startswith("gcloud builds submit . --quiet --async ")
    assert " --region=europe-west1 " in submit
    assert "--worker-pool" not in submit
    assert f"--substitutions=_IMAGE=europe-west1-docker.pkg.dev/{PROJECT}/subscope/viewer:" in submit
    assert f"--gcs-source-staging-dir=gs://{PROJECT}-subscope-source/builds" in submit


def test_service_runs_the_digest_and_needs_no_change(built: tuple[Applied, Path]) -> None:
    deployment, gcloud = built
    assert re.search(
        r'"image": "europe-west1-docker.pkg.dev/\S+/subscope/viewer@sha256:[0-9a-f]{64}"', deployment.state.read_text()
    )
    assert deployment.changes(BUILT, programs=gcloud) == set()


def test_image_that_is_built_again_is_deployed(built: tuple[Applied, Path]) -> None:
    """For a patched base the source, and so the tag, is the same."""
    deployment, gcloud = built
    replaced = "terraform_data.viewer_image"
    assert deployment.changes(BUILT, f"-replace={CALL}{replaced}[0]", programs=gcloud) == {
        f"-/+ {replaced}",
        "~ google_cloud_run_v2_service.viewer",
    }
    assert f"terraform apply -replace='{CALL}{replaced}[0]'" in (ROOT / "docs/operations.md").read_text()


POOL = f"projects/{PROJECT}/locations/us-central1/workerPools/private"


@pytest.mark.parametrize(
    ("variable", "flags"),
    [
        ('{region="us-central1"}', ["--region=us-central1"]),
        (f'{{worker_pool="{POOL}"}}', ["--region=us-central1", f"--worker-pool={POOL}"]),
    ],
    ids=["region", "pool"],
)
def test_build_runs_in_the_given_region_or_pool_and_pushes_to_the_modules_region(
    terraform: Terraform, tmp_path: Path, variable: str, flags: list[str]
) -> None:
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    options = ("-auto-approve", "-input=false", f"-state={tmp_path}/state", f"-var=project={PROJECT}")
    target = f"-target={CALL}terraform_data.viewer_image"
    terraform.run("apply", *options, target, f"-var=build={variable}", programs=programs(tmp_path, failing=0))
    submit = (tmp_path / "calls").read_text().splitlines()[0].split()
    assert [word for word in submit if word.startswith(("--region", "--worker-pool"))] == flags
    assert [word for word in submit if "_IMAGE=europe-west1-docker.pkg.dev/" in word]


def test_function_is_built_in_the_given_pool(terraform: Terraform, plan: dict[str, Any]) -> None:
    function = "google_cloudfunctions2_function.receiver"
    assert values(plan, function)["build_config"][0]["worker_pool"] is None
    pooled = terraform.plan("pool", f'project = "{PROJECT}"\nbuild = {{ worker_pool = "{POOL}" }}')
    assert values(pooled, function)["build_config"][0]["worker_pool"] == POOL
