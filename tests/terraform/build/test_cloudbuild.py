"""cloudbuild.yaml as gcloud reads it: the order of the steps, and that nothing is applied without a request.

cloudbuild.pool.yaml is the same build in a private pool.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import MODULE, PROJECT, ROOT, Terraform, gcloud_uploads, resources

LOAD = """
import sys
sys.path[:0] = [sys.argv[1] + "/lib", sys.argv[1] + "/lib/third_party"]
from apitools.base.py import encoding
from googlecloudsdk.api_lib.cloudbuild import cloudbuild_util, config
print(encoding.MessageToJson(config.LoadCloudbuildConfigFromPath(sys.argv[2], cloudbuild_util.GetMessagesModule(), {})))
"""
# cloud.google.com/build/docs/configuring-builds/substitute-variable-values
BUILT_IN = {"PROJECT_ID", "BUILD_ID", "COMMIT_SHA"}
FILES = (ROOT / "cloudbuild.yaml", ROOT / "cloudbuild.pool.yaml")
# What Google says that an index can take, at least; timeouts in firestore.tf may be longer.
INDEX_MINUTES = 90


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
    assert list(steps(build)) == ["test-image", "test", "build", "keep-test-image", "publish", "plan", "apply"]
    assert {name: step["waitFor"] for name, step in steps(build).items() if "waitFor" in step} == {
        "test-image": ["-"],
        "test": ["test-image"],
        "build": ["-"],
        "keep-test-image": ["test"],
        "publish": ["test", "build"],
    }
    # Without waitFor, a step waits for all steps before it.
    assert not [name for name in ("plan", "apply") if "waitFor" in steps(build)[name]]


def test_tests_are_those_of_any_machine_and_none_is_skipped(build: dict[str, Any]) -> None:
    step = steps(build)["test"]
    assert (step["entrypoint"], step["args"]) == ("bash", [".ci/run"])
    assert step["env"] == ["CI=true", "SKIPS_ALLOWED=0"]
    # The image that the step before it tags.
    assert steps(build)["test-image"]["args"][:3] == [".ci/test-image", "$_IMAGES/tests", "$BUILD_ID"]
    assert step["name"] == "$_IMAGES/tests:$BUILD_ID"


def test_only_the_plan_of_the_published_image_is_applied(build: dict[str, Any]) -> None:
    assert '.ci/publish-viewer "$_IMAGES/viewer:$BUILD_ID" /workspace/image.txt' in script(steps(build)["publish"])
    assert "image=$(cat /workspace/image.txt)" in script(steps(build)["plan"])
    assert "-out=/workspace/apply.tfplan" in script(steps(build)["plan"])
    applies = script(steps(build)["apply"]).partition("terraform apply")[2]
    assert applies.split() == ["-lock-timeout=5m", "/workspace/apply.tfplan"]
    # Cloud Build pushes listed images at the end of every build. The planner has no right to push, and must not.
    assert not {"artifacts", "images"} & set(build)


def tried(
    step: dict[str, Any], action: str, directory: Path, program: str
) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Run a step in ``directory`` as Cloud Build does in its workspace; return ``program``'s calls, and the end."""
    calls, stub = directory / "calls", directory / program
    printed = directory / "printed"
    stub.parent.mkdir(exist_ok=True)
    # For `output`, print the text that terraform would print.
    stub.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nif [ "$1" = output ]; then cat {printed}; fi\n')
    stub.chmod(0o755)
    (directory / "backend.tf.example").touch()
    (directory / "modules/subscope").mkdir(parents=True, exist_ok=True)
    text = script(step).replace("$_ACTION", action).replace("/workspace", str(directory))
    text = re.sub(r"(?<!\$)\$([A-Z_]+)\b", r"\1", text).replace("$$", "$")
    environ = {"PATH": f"{directory}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-euc", text], cwd=directory, env=environ, capture_output=True, text=True, timeout=10)
    return calls.read_text().splitlines() if calls.exists() else [], done


def ran(step: dict[str, Any], action: str, directory: Path, program: str) -> list[str]:
    """Run a step that succeeds; return the calls of ``program``."""
    calls, done = tried(step, action, directory, program)
    assert done.returncode == 0, done.stderr
    return calls


@pytest.mark.parametrize("action", ["plan", "apply"])
@pytest.mark.parametrize(
    ("step", "program", "call"),
    [
        ("keep-test-image", "docker", "push --quiet registry/tests:hash"),
        ("publish", ".ci/publish-viewer", "_IMAGES/viewer:BUILD_ID {directory}/image.txt"),
        ("apply", "terraform", "apply -lock-timeout=5m {directory}/apply.tfplan"),
    ],
)
def test_only_an_apply_pushes_and_applies(
    build: dict[str, Any], step: str, program: str, call: str, action: str, tmp_path: Path
) -> None:
    (tmp_path / "test-image.txt").write_text("registry/tests:hash\n")
    calls = ran(steps(build)[step], action, tmp_path, program)
    assert calls == ([call.format(directory=tmp_path)] if action == "apply" else [])


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
    (tmp_path / ".terraform.lock.hcl").touch()
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
    assert [call.split()[1:] for call in calls if call.startswith("-chdir=")] == [
        ["init", "-lockfile=readonly", "-backend=false"],
        ["test"],
    ]
    assert "init -lockfile=readonly -backend-config=bucket=_STATE_BUCKET" in calls
    images = re.findall(r"-var=viewer_image=(\S*)", calls[-1])
    assert images == ([planned] if planned else [])
    assert "-var=project=PROJECT_ID -var=region=_REGION -var=name=_NAME" in calls[-1]


@pytest.mark.parametrize("action", ["plan", "apply"])
def test_source_without_a_lock_file_is_refused(build: dict[str, Any], action: str, tmp_path: Path) -> None:
    (tmp_path / "image.txt").write_text("pushed@sha256:1\n")
    calls, done = tried(steps(build)["plan"], action, tmp_path, "terraform")
    assert (calls, done.returncode) == ([], 1)
    told = done.stderr.splitlines()
    assert told[0].startswith("terraform/.terraform.lock.hcl is not in the source")
    assert told[1].startswith("Run: terraform -chdir=terraform providers lock -platform=linux_amd64 ")
    # Neither git nor gcloud leaves it out.
    checked = ["git", "check-ignore", "--no-index", "terraform/.terraform.lock.hcl"]
    assert subprocess.run(checked, cwd=ROOT, capture_output=True, timeout=30).returncode != 0


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_timeouts_leave_time_for_slow_indexes(build: dict[str, Any]) -> None:
    """An apply that is cut off leaves a locked state and half a deployment."""
    text = "\n".join(path.read_text() for path in MODULE.rglob("firestore.tf"))
    blocks = " ".join(re.findall(r"timeouts \{(.*?)\}", text, re.DOTALL))
    minutes = max([INDEX_MINUTES, *map(int, re.findall(r'"(\d+)m"', blocks))])
    apply, plan, test = (seconds(steps(build)[name]["timeout"]) for name in ("apply", "plan", "test"))
    # The first index is built alone, then the others, then the fields without one; the rest takes half an hour.
    assert apply >= 3 * minutes * 60 + 1800
    # The steps without a timeout of their own build and push images.
    assert seconds(build["timeout"]) >= test + plan + apply + 1800
    assert seconds(build["timeout"]) <= 24 * 3600, "Cloud Build's longest"


def test_build_in_a_private_pool_is_the_same_build() -> None:
    plain, pool = (path.read_text().splitlines(keepends=True) for path in FILES)
    added = [line for line in pool if line not in plain]
    assert added == [
        "# This file is cloudbuild.yaml in a private pool, which is _POOL.\n",
        "      - POOL=$_POOL\n",
        "  _POOL: projects/${PROJECT_ID}/locations/${_REGION}/workerPools/${_NAME}\n",
        "  pool:\n",
        "    name: $_POOL\n",
    ]
    assert [line for line in pool if line not in added] == [
        line for line in plain if line != "# cloudbuild.pool.yaml is this file in a private pool.\n"
    ]
    assert load(FILES[1])["options"]["pool"] == {"name": "$_POOL"}


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


@pytest.mark.parametrize("path", [*FILES, MODULE / "viewer-image.yaml"], ids=lambda path: path.name)
def test_substitutions_are_declared_and_used(path: Path) -> None:
    build = load(path)
    used = {name for text in texts(build) for name in re.findall(r"(?<!\$)\$\{?([A-Z_]+)\b", text)}
    assert used - BUILT_IN == set(re.findall(r"^  (_[A-Z_]+):", path.read_text(), re.MULTILINE))


def test_step_images_are_pinned(build: dict[str, Any]) -> None:
    built = "$_IMAGES/tests:$BUILD_ID"
    ours = [step["name"] for step in build["steps"] if not step["name"].startswith("gcr.io/cloud-builders/")]
    pinned = r"[a-z/]+:\d+\.\d+\.\d+(-[a-z]+)?(@sha256:[0-9a-f]{64})?"
    assert all(name == built or re.fullmatch(pinned, name) for name in ours), ours


def test_triggers_pass_declared_substitutions(build: dict[str, Any], full_plan: dict[str, Any]) -> None:
    triggers = {entry["values"]["name"]: entry["values"] for entry in resources(full_plan, "google_cloudbuild_trigger")}
    taken = set(re.findall(r"^  (_[A-Z_]+):", (ROOT / "cloudbuild.yaml").read_text(), re.MULTILINE))
    assert all(set(trigger["substitutions"]) <= taken for trigger in triggers.values())
    assert {name: trigger["substitutions"]["_ACTION"] for name, trigger in triggers.items()} == {
        "subscope-plan": "plan",
        "subscope-apply": "apply",
    }
    assert all(trigger["filename"] == "cloudbuild.yaml" for trigger in triggers.values())


POOL = f"""
project = "{PROJECT}"
deploy = {{
  state_bucket = "my-state"
  repository   = "projects/{PROJECT}/locations/europe-west1/connections/github/repositories/subscope"
  worker_pool  = "projects/%s/locations/europe-west1/workerPools/builds"
}}
"""


@pytest.mark.parametrize(("owner", "granted"), [(PROJECT, True), ("elsewhere", False)])
def test_triggers_build_in_the_private_pool(terraform: Terraform, owner: str, granted: bool) -> None:
    plan = terraform.plan("pool", POOL % owner)
    triggers = [entry["values"] for entry in resources(plan, "google_cloudbuild_trigger")]
    assert {trigger["filename"] for trigger in triggers} == {"cloudbuild.pool.yaml"}
    pool = f"projects/{owner}/locations/europe-west1/workerPools/builds"
    assert [trigger["substitutions"]["_POOL"] for trigger in triggers] == [pool] * 2
    roles = {entry["values"]["role"] for entry in resources(plan, "google_project_iam_member")}
    # The deployer requests the build of the image; in another project, its owner grants the role.
    assert ("roles/cloudbuild.workerPoolUser" in roles) == granted


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
    """The build runs .ci/run, which needs the tests and every file that they read; without a history it makes one."""
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
