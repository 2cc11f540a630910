"""The scripts that cloudbuild.yaml calls, with programs that record their words instead of docker's and gcloud's."""

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.terraform.runner import ROOT

DIGEST = f"sha256:{'5' * 64}"
DOCKER = """#!/bin/sh
echo "$*" >> {calls}
case $1 in
  pull) exit {pulled} ;;
  build) cat > {calls}.tar ;;
esac
"""
GCLOUD = """#!/bin/sh
echo "$*" >> {calls}
case "$1 $2" in
  "builds submit") echo build-1 ;;
  "builds describe") echo {ended} ;;
  "logging read") echo 'the line that says why' ;;
  "artifacts docker") echo '{digest}' ;;
esac
"""
ENVIRON = {
    "BUILD_ACCOUNT": "subscope-build",
    "NAME": "subscope",
    "PROJECT": "p",
    "REGION": "europe-west1",
    "REVISION": "abc",
    "SOURCE": "s",
}


def run(
    directory: Path, program: str, text: str, *command: str, root: Path = ROOT, environ: Mapping[str, str] = ENVIRON
) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Run a script with one program that records its words; return them and the script's end."""
    (directory / program).write_text(text)
    (directory / program).chmod(0o755)
    path = {"PATH": f"{directory}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=root, env={**path, **environ}, capture_output=True, text=True, timeout=30)
    calls = directory / "calls"
    return calls.read_text().splitlines() if calls.exists() else [], done


def prepare(
    directory: Path, *, pulled: int, root: Path = ROOT
) -> tuple[list[str], subprocess.CompletedProcess[str], str]:
    text = DOCKER.format(calls=directory / "calls", pulled=pulled)
    file = directory / "test-image.txt"
    calls, done = run(directory, "docker", text, ".ci/test-image", "r/tests", "b1", str(file), root=root)
    return calls, done, file.read_text().strip()


def test_known_image_of_the_tests_is_pulled(tmp_path: Path) -> None:
    calls, done, kept = prepare(tmp_path, pulled=0)
    assert re.fullmatch(r"r/tests:[0-9a-f]{16}", kept)
    assert calls == [f"pull --quiet {kept}", f"tag {kept} r/tests:b1"]
    assert done.stdout.startswith("The image of the tests is unchanged")


def test_unknown_image_of_the_tests_is_built_from_what_its_dockerfile_copies(tmp_path: Path) -> None:
    calls, _, kept = prepare(tmp_path, pulled=1)
    assert calls[1:] == [f"build --pull --file tests/Dockerfile --tag {kept} -", f"tag {kept} r/tests:b1"]
    with tarfile.open(tmp_path / "calls.tar") as sent:
        names = set(sent.getnames())
    copied = re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "tests/Dockerfile").read_text(), re.MULTILINE)
    assert names == {"tests/Dockerfile", *copied}


def test_tag_of_the_image_changes_with_each_of_its_files(tmp_path: Path) -> None:
    with_files = tmp_path / "root"
    for name in (".ci", "tests/terraform/pins", "tests/javascript", "web", "infra/local"):
        (with_files / name).mkdir(parents=True)
    shutil.copy(ROOT / ".ci/test-image", with_files / ".ci")
    sources = re.findall(r"^  ([\w/.-]+)$", (ROOT / ".ci/test-image").read_text(), re.MULTILINE)
    for name in sources:
        (with_files / name).write_text("")
    tags = [prepare(tmp_path, pulled=0, root=with_files)[2]]
    for name in sources:
        (with_files / name).write_text("changed")
        tags.append(prepare(tmp_path, pulled=0, root=with_files)[2])
    assert len(set(tags)) == len(sources) + 1 == 9


def publish(
    directory: Path, *, ended: str = "SUCCESS", digest: str = DIGEST, **environ: str
) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    text = GCLOUD.format(calls=directory / "calls", ended=ended, digest=digest)
    (directory / "sleep").write_text("#!/bin/sh\n")
    (directory / "sleep").chmod(0o755)
    command = (".ci/publish-viewer", "r/viewer:b1", str(directory / "image.txt"))
    return run(directory, "gcloud", text, *command, environ={**ENVIRON, **environ})


def test_viewer_is_built_apart_so_that_its_provenance_is_recorded(tmp_path: Path) -> None:
    (build, _, _), done = publish(tmp_path)
    assert done.returncode == 0, done.stderr
    assert build.split() == [
        *("builds", "submit", ".", "--quiet", "--async", "--format=value(id)", "--project=p", "--region=europe-west1"),
        "--config=terraform/modules/subscope/viewer-image.yaml",
        "--ignore-file=.dockerignore",
        "--gcs-source-staging-dir=gs://p-subscope-source/builds",
        "--service-account=projects/p/serviceAccounts/subscope-build@p.iam.gserviceaccount.com",
        "--substitutions=_IMAGE=r/viewer:b1,_REVISION=abc,_SOURCE=s",
    ]
    assert (tmp_path / "image.txt").read_text() == f"r/viewer@{DIGEST}\n"


def test_viewer_is_built_in_the_private_pool(tmp_path: Path) -> None:
    (build, _, _), _ = publish(tmp_path, POOL="projects/p/locations/l/workerPools/w")
    assert build.endswith(" --worker-pool=projects/p/locations/l/workerPools/w")


def test_build_by_hand_has_no_revision(tmp_path: Path) -> None:
    (build, _, _), _ = publish(tmp_path, REVISION="")
    assert build.endswith("_REVISION=unknown,_SOURCE=s")


@pytest.mark.parametrize(
    ("digest", "told"),
    [("", "found ''. Nothing is planned or applied."), ("latest", "found 'latest'")],
    ids=["no digest", "tag"],
)
def test_unpublished_image_ends_the_build(tmp_path: Path, digest: str, told: str) -> None:
    _, done = publish(tmp_path, digest=digest)
    assert done.returncode == 1
    assert told in done.stderr
    assert not (tmp_path / "image.txt").exists()


def test_failed_build_shows_its_log_and_publishes_nothing(tmp_path: Path) -> None:
    _, done = publish(tmp_path, ended="FAILURE")
    assert done.returncode == 1
    assert "the line that says why" in done.stdout
    assert not (tmp_path / "image.txt").exists()
