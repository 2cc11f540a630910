"""The apply builds the viewer's image, and tries again while its grants are not in effect yet."""

from pathlib import Path

import pytest

from tests.support.terraform.runner import CALL, PROJECT, Terraform

# A gcloud that records its words and fails a number of times; a sleep that only records.
PROGRAMS = {
    "gcloud": """#!/bin/sh
echo "gcloud $*" >> {calls}
[ "$(grep -c ^gcloud {calls})" -gt {failing} ]
""",
    "sleep": """#!/bin/sh
echo "sleep $*" >> {calls}
""",
}


@pytest.mark.parametrize(("failing", "built"), [(0, True), (1, True), (2, False)])
def test_build_is_tried_again_after_a_minute(terraform: Terraform, tmp_path: Path, failing: int, built: bool) -> None:
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text.format(calls=tmp_path / "calls", failing=failing))
        (tmp_path / name).chmod(0o755)
    options = ("-auto-approve", "-input=false", f"-state={tmp_path}/state", f"-var=project={PROJECT}")
    target = f"-target={CALL}terraform_data.viewer_image"
    terraform.run("apply", *options, target, ok=(0,) if built else (1,), programs=tmp_path)
    calls = (tmp_path / "calls").read_text().splitlines()
    build = calls[0]
    assert build.startswith("gcloud builds submit . --quiet ")
    assert f"--substitutions=_IMAGE=europe-west1-docker.pkg.dev/{PROJECT}/subscope/viewer:" in build
    assert calls == ([build, "sleep 60", build] if failing else [build])
