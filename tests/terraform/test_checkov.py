"""Checkov finds nothing in the module's source, nor in its plan, without a reason."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import CALL, DEPLOYMENT

_NO_KEY = "Google's keys encrypt it; kms_key replaces them, and tests/terraform/company/test_keys.py plans that."
# Found in a plan alone, where the values are known: no comment in the source can suppress them.
IN_PLANS = {
    ("CKV_GCP_42", "google_project_iam_member.deployer_grants"): "Its condition admits the roles of this module alone.",
    ("CKV_GCP_83", "google_pubsub_topic.dead_letter"): _NO_KEY,
    ("CKV_GCP_83", "google_pubsub_topic.monitored"): _NO_KEY,
    ("CKV_GCP_84", "google_artifact_registry_repository.images"): _NO_KEY,
    ("CKV_GCP_63", "google_storage_bucket.source"): "It has no log of accesses at all, see CKV_GCP_62.",
}


def scan(programs: Path, *options: str) -> dict[str, list[dict[str, Any]]]:
    command = [str(programs / "checkov"), *options, "--skip-download", "--output", "json", "--compact"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120)
    results: dict[str, list[dict[str, Any]]] = json.loads(checked.stdout)["results"]
    return results


def written() -> set[tuple[str, str]]:
    """Return the checks that the source suppresses, each with its resource."""
    text = "\n".join(path.read_text() for path in sorted(DEPLOYMENT.rglob("*.tf")))
    resources = re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    return {(check, f"{kind}.{name}") for kind, name, body in resources for check in re.findall(r"skip=(\w+):", body)}


@pytest.mark.slow
def test_source_has_no_finding_and_each_skip_has_a_reason(programs: Path) -> None:
    results = scan(programs, "--directory", str(DEPLOYMENT), "--framework", "terraform")
    assert not [f"{check['check_id']} {check['resource']}" for check in results["failed_checks"]]
    skipped = {check["check_id"]: check["check_result"]["suppress_comment"] for check in results["skipped_checks"]}
    assert all(len(reason) > 20 for reason in skipped.values()), skipped
    assert set(skipped) == {check for check, _ in written()}, "a skip without effect must be removed"


@pytest.mark.slow
def test_plan_of_every_feature_has_no_other_finding(programs: Path, full_plan: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(full_plan))
    results = scan(programs, "--file", str(tmp_path / "plan.json"), "--framework", "terraform_plan")
    assert len(results["passed_checks"]) > 50
    found = {
        (check["check_id"], re.sub(r"\[.*?\]", "", check["resource"]).removeprefix(CALL))
        for check in results["failed_checks"]
    }
    assert found - written() == set(IN_PLANS)
