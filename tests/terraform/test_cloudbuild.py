"""cloudbuild.yaml, as gcloud itself reads it: the order of the steps, and that nothing is applied unless asked."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.stage import MODULE, ROOT, resources

LOAD = """
import sys
sys.path[:0] = [sys.argv[1] + "/lib", sys.argv[1] + "/lib/third_party"]
from apitools.base.py import encoding
from googlecloudsdk.api_lib.cloudbuild import cloudbuild_util, config
print(encoding.MessageToJson(config.LoadCloudbuildConfigFromPath(sys.argv[2], cloudbuild_util.GetMessagesModule(), {})))
"""
# cloud.google.com/build/docs/configuring-builds/substitute-variable-values
BUILT_IN = {"PROJECT_ID", "BUILD_ID"}


def load(path: Path) -> dict[str, Any]:
    """The build, checked against Cloud Build's own messages by gcloud."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    command = [sys.executable, "-c", LOAD, str(Path(gcloud).resolve().parent.parent), str(path)]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "ModuleNotFoundError" in loaded.stderr:
        pytest.skip(f"this gcloud keeps its reader of builds elsewhere: {loaded.stderr[-200:]}")
    assert loaded.returncode == 0, loaded.stderr[-600:]
    found: dict[str, Any] = json.loads(loaded.stdout)
    return found


@pytest.fixture(scope="module")
def build() -> dict[str, Any]:
    return load(ROOT / "cloudbuild.yaml")


def steps(build: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in build["steps"]}


def script(step: dict[str, Any]) -> str:
    text: str = step["args"][-1]
    return text


def test_it_tests_builds_pushes_plans_and_applies_in_this_order(build: dict[str, Any]) -> None:
    assert list(steps(build)) == ["test", "build", "push", "plan", "apply"]
    assert steps(build)["push"]["waitFor"] == ["test", "build"]
    assert steps(build)["build"]["waitFor"] == ["-"]
    # Without waitFor, a step waits for all before it.
    assert not [name for name in ("plan", "apply") if "waitFor" in steps(build)[name]]


def test_it_plans_the_digest_and_applies_only_that_plan_and_only_when_asked(build: dict[str, Any]) -> None:
    plan, apply = script(steps(build)["plan"]), script(steps(build)["apply"])
    assert "{{index .RepoDigests 0}}" in script(steps(build)["push"])
    assert "viewer_image=$(cat /workspace/image.txt)" in plan
    assert "-out=/workspace/apply.tfplan" in plan
    refuses, _, applies = apply.partition("terraform apply")
    assert '[ "$_ACTION" != apply ]' in refuses
    assert "exit 0" in refuses
    assert applies.split() == ["-lock-timeout=5m", "/workspace/apply.tfplan"]
    assert "artifacts" not in build


@pytest.mark.parametrize("action", ["plan", "apply"])
def test_the_apply_step_does_what_the_action_says(build: dict[str, Any], action: str, tmp_path: Path) -> None:
    terraform = tmp_path / "terraform"
    terraform.write_text('#!/bin/sh\necho "ran $*"\n')
    terraform.chmod(0o755)
    text = script(steps(build)["apply"]).replace("$_ACTION", action)
    run = subprocess.run(
        ["sh", "-euc", text], capture_output=True, text=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert run.returncode == 0
    assert ("ran apply" in run.stdout) == (action == "apply")


def test_it_runs_as_its_own_account_and_says_so_where_cloud_build_insists(build: dict[str, Any]) -> None:
    assert build["serviceAccount"].endswith("/${_NAME}-deployer@${PROJECT_ID}.iam.gserviceaccount.com")
    assert build["options"]["logging"] == "CLOUD_LOGGING_ONLY"
    assert build["options"]["substitutionOption"] == "MUST_MATCH"
    assert build["options"]["dynamicSubstitutions"] is True


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@pytest.mark.parametrize("path", [ROOT / "cloudbuild.yaml", MODULE / "viewer-image.yaml"], ids=lambda path: path.name)
def test_every_substitution_is_known_and_used(path: Path) -> None:
    build = load(path)
    used = {name for text in texts(build) for name in re.findall(r"(?<!\$)\$\{?([A-Z_]+)\b", text)}
    assert used - BUILT_IN == set(re.findall(r"^  (_[A-Z_]+):", path.read_text(), re.MULTILINE))


def test_images_and_terraform_are_pinned(build: dict[str, Any]) -> None:
    ours = [step["name"] for step in build["steps"] if not step["name"].startswith("gcr.io/cloud-builders/")]
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)?", name) for name in ours), ours


def test_triggers_pass_what_it_takes(build: dict[str, Any], full_plan: dict[str, Any]) -> None:
    triggers = {one["values"]["name"]: one["values"] for one in resources(full_plan, "google_cloudbuild_trigger")}
    taken = set(re.findall(r"^  (_[A-Z_]+):", (ROOT / "cloudbuild.yaml").read_text(), re.MULTILINE))
    assert all(set(one["substitutions"]) <= taken for one in triggers.values())
    assert {name: one["substitutions"]["_ACTION"] for name, one in triggers.items()} == {
        "subscope-plan": "plan",
        "subscope-apply": "apply",
    }
    assert [one["approval_required"] for one in triggers["subscope-apply"]["approval_config"]] == [True]
    assert all(one["filename"] == "cloudbuild.yaml" for one in triggers.values())
