"""cloudbuild.yaml as gcloud reads it: the order of the steps, and that nothing is applied without a request."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import MODULE, ROOT, gcloud_uploads, resources

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
    """Return the build, checked by gcloud against Cloud Build's message types."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    command = [sys.executable, "-c", LOAD, str(Path(gcloud).resolve().parent.parent), str(path)]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "ModuleNotFoundError" in loaded.stderr:
        pytest.skip(f"this gcloud keeps its reader of builds elsewhere: {loaded.stderr[-200:]}")
    assert loaded.returncode == 0, loaded.stderr[-600:]
    build: dict[str, Any] = json.loads(loaded.stdout)
    return build


@pytest.fixture(scope="module")
def build() -> dict[str, Any]:
    return load(ROOT / "cloudbuild.yaml")


def steps(build: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in build["steps"]}


def script(step: dict[str, Any]) -> str:
    text: str = step["args"][-1]
    return text


def test_steps_run_in_order(build: dict[str, Any]) -> None:
    assert list(steps(build)) == ["test", "build", "push", "plan", "apply"]
    assert steps(build)["push"]["waitFor"] == ["test", "build"]
    assert steps(build)["build"]["waitFor"] == ["-"]
    # Without waitFor, a step waits for all steps before it.
    assert not [name for name in ("plan", "apply") if "waitFor" in steps(build)[name]]


def test_only_the_plan_of_the_pushed_image_is_applied(build: dict[str, Any]) -> None:
    assert "{{index .RepoDigests 0}}" in script(steps(build)["push"])
    assert "-out=/workspace/apply.tfplan" in script(steps(build)["plan"])
    applies = script(steps(build)["apply"]).partition("terraform apply")[2]
    assert applies.split() == ["-lock-timeout=5m", "/workspace/apply.tfplan"]
    # Cloud Build pushes listed images at the end of every build. The planner has no right to push, and must not.
    assert not {"artifacts", "images"} & set(build)


def ran(step: dict[str, Any], action: str, directory: Path, program: str) -> list[str]:
    """Run a step in ``directory`` as Cloud Build does in its workspace; return the calls of ``program``."""
    calls, stub = directory / "calls", directory / program
    printed = directory / "printed"
    # For `output`, print the text that terraform would print.
    stub.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nif [ "$1" = output ]; then cat {printed}; fi\n')
    stub.chmod(0o755)
    (directory / "backend.tf.example").touch()
    text = script(step).replace("$_ACTION", action).replace("/workspace", str(directory))
    text = re.sub(r"(?<!\$)\$([A-Z_]+)\b", r"\1", text).replace("$$", "$")
    environ = {"PATH": f"{directory}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-euc", text], cwd=directory, env=environ, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    return calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize("action", ["plan", "apply"])
@pytest.mark.parametrize(("step", "program"), [("push", "docker"), ("apply", "terraform")])
def test_only_an_apply_pushes_and_applies(
    build: dict[str, Any], step: str, program: str, action: str, tmp_path: Path
) -> None:
    calls = ran(steps(build)[step], action, tmp_path, program)
    assert [call for call in calls if call.startswith(step)] == calls[:1]
    assert bool(calls) == (action == "apply")


DIGEST = "europe-west1-docker.pkg.dev/p/subscope/viewer@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("action", "printed", "planned"),
    [
        ("apply", "", "pushed@sha256:1"),
        ("plan", DIGEST, DIGEST),
        # After an apply by hand the image has a tag; before the first apply, terraform prints a warning on stdout.
        ("plan", "europe-west1-docker.pkg.dev/p/subscope/viewer:0123456789abcdef", None),
        ("plan", "Warning: No outputs found", None),
    ],
    ids=["apply", "deployed", "by hand", "first"],
)
def test_pull_request_is_planned_with_the_running_image(
    build: dict[str, Any], action: str, printed: str, planned: str | None, tmp_path: Path
) -> None:
    (tmp_path / "image.txt").write_text("pushed@sha256:1\n")
    (tmp_path / "printed").write_text(printed)
    calls = ran(steps(build)["plan"], action, tmp_path, "terraform")
    assert [call.split()[0] for call in calls if call != "output -raw viewer_image"] == [
        "init",
        "fmt",
        "validate",
        "-chdir=modules/subscope",
        "-chdir=modules/subscope",
        "plan",
    ]
    assert [call.split()[1] for call in calls if call.startswith("-chdir=")] == ["init", "test"]
    images = re.findall(r"-var=viewer_image=(\S*)", calls[-1])
    assert images == ([planned] if planned else [])
    assert "-var=project=PROJECT_ID -var=region=_REGION -var=name=_NAME" in calls[-1]


def test_build_runs_as_the_given_account_and_by_default_as_the_planner(build: dict[str, Any]) -> None:
    assert build["serviceAccount"].endswith("/serviceAccounts/${_ACCOUNT}@${PROJECT_ID}.iam.gserviceaccount.com")
    assert "\n  _ACCOUNT: ${_NAME}-planner\n" in (ROOT / "cloudbuild.yaml").read_text()
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
def test_substitutions_are_declared_and_used(path: Path) -> None:
    build = load(path)
    used = {name for text in texts(build) for name in re.findall(r"(?<!\$)\$\{?([A-Z_]+)\b", text)}
    assert used - BUILT_IN == set(re.findall(r"^  (_[A-Z_]+):", path.read_text(), re.MULTILINE))


def test_step_images_are_pinned(build: dict[str, Any]) -> None:
    ours = [step["name"] for step in build["steps"] if not step["name"].startswith("gcr.io/cloud-builders/")]
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)?", name) for name in ours), ours


def test_triggers_pass_declared_substitutions(build: dict[str, Any], full_plan: dict[str, Any]) -> None:
    triggers = {entry["values"]["name"]: entry["values"] for entry in resources(full_plan, "google_cloudbuild_trigger")}
    taken = set(re.findall(r"^  (_[A-Z_]+):", (ROOT / "cloudbuild.yaml").read_text(), re.MULTILINE))
    assert all(set(trigger["substitutions"]) <= taken for trigger in triggers.values())
    assert {name: trigger["substitutions"]["_ACTION"] for name, trigger in triggers.items()} == {
        "subscope-plan": "plan",
        "subscope-apply": "apply",
    }
    assert all(trigger["filename"] == "cloudbuild.yaml" for trigger in triggers.values())


def test_history_and_local_environments_are_not_uploaded(tmp_path: Path) -> None:
    kept = {".dockerignore", "main.py", "terraform/terraform.tfvars", "web/static/js/list/main.js"}
    own = {".git/config", ".env", ".env.local", "web/.env", ".venv/x", "terraform/terraform.tfstate", "a/__pycache__/b"}
    for name in (*kept, *own):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for name in (".gitignore", ".cloudbuildignore"):
        shutil.copy(ROOT / name, tmp_path)
    assert gcloud_uploads(tmp_path, ".cloudbuildignore") == kept | {".gitignore", ".cloudbuildignore"}


def test_files_of_the_tests_are_uploaded() -> None:
    """The build runs make test, which needs the tests and every file that they read."""
    uploaded = gcloud_uploads(ROOT, ".cloudbuildignore")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    if listed.returncode:
        pytest.skip("this is not a git repository")
    assert set(listed.stdout.splitlines()) <= uploaded


def test_only_approved_builds_run_as_the_deployer(full_plan: dict[str, Any]) -> None:
    runs_as = {}
    for entry in resources(full_plan, "google_cloudbuild_trigger"):
        trigger = entry["values"]
        account = trigger["service_account"].rpartition("/")[2].partition("@")[0]
        assert trigger["substitutions"]["_ACCOUNT"] == account
        runs_as[trigger["name"]] = account
        approved = any(config["approval_required"] for config in trigger["approval_config"] or [])
        assert approved == (account != "subscope-planner"), trigger["name"]
        assert bool(trigger["repository_event_config"][0]["pull_request"]) == (account == "subscope-planner")
    assert runs_as == {"subscope-plan": "subscope-planner", "subscope-apply": "subscope-deployer"}
