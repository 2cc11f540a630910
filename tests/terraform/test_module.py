"""The module by terraform's own judgement and checkov's, and what its plan says of topics."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import MODULE, Terraform, copy_module, resources


def test_it_is_formatted() -> None:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    # Not the directory: whose terraform.tfvars lies in it is no business of this test.
    files = [str(path) for pattern in ("*.tf", "tests/*.hcl") for path in sorted(MODULE.glob(pattern))]
    done = subprocess.run(["terraform", "fmt", "-check", *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"terraform fmt -recursive changes {done.stdout.split()}"


def test_it_is_valid(terraform: Terraform) -> None:
    terraform.run("validate")


SOMEBODYS = """
project        = "somebodys-project"
viewer         = { access = "iap", members = ["group:ops@example.com"] }
deploy         = { state_bucket = "somebodys-state" }
push_audiences = ["somebodys"]
subscriptions  = { somebodys = { topic = "somebodys", start_running = true } }
"""


@pytest.mark.slow
def test_it_passes_its_own_tests_beside_a_committed_tfvars(terraform: Terraform) -> None:
    variables = terraform.module / "terraform.tfvars"
    variables.write_text(SOMEBODYS)
    try:
        done = terraform.run("test", "-no-color")
    finally:
        variables.unlink()
    assert re.search(r"\d+ passed, 0 failed", done.stdout)


def test_its_own_tests_leave_no_variable_to_a_tfvars() -> None:
    declared = re.findall(r'^variable "(\w+)"', (MODULE / "variables.tf").read_text(), re.MULTILINE)
    block = (MODULE / "tests/module.tftest.hcl").read_text().partition("\nvariables {\n")[2].partition("\n}\n")[0]
    assert re.findall(r"^  (\w+) +=", block, re.MULTILINE) == declared


def test_the_tests_do_not_see_what_a_person_wrote_beside_the_module(tmp_path: Path) -> None:
    for name in ("functions", "infra", "web", "terraform/.terraform", "terraform/tests"):
        (tmp_path / "root" / name).mkdir(parents=True)
    kept = {"main.py", "requirements.txt", ".dockerignore", "terraform/main.tf", "terraform/tests/a.tftest.hcl"}
    own = {"terraform.tfvars", "more.auto.tfvars", "b.tfvars.json", "terraform.tfstate", "backend.tf", ".terraform/x"}
    for name in (*kept, *(f"terraform/{one}" for one in own)):
        (tmp_path / "root" / name).write_text("")
    copy_module(tmp_path / "root", tmp_path / "copy")
    copied = {str(one.relative_to(tmp_path / "copy")) for one in (tmp_path / "copy").rglob("*") if one.is_file()}
    assert copied == kept


@pytest.mark.slow
def test_checkov_finds_nothing_and_every_skip_has_its_reason(programs: Path) -> None:
    command = [str(programs / "checkov"), "--directory", str(MODULE), "--framework", "terraform", "--skip-download"]
    found = subprocess.run([*command, "--output", "json", "--compact"], capture_output=True, text=True, timeout=120)
    results = json.loads(found.stdout)["results"]
    assert not [f"{one['check_id']} {one['resource']}" for one in results["failed_checks"]]
    skipped = {one["check_id"]: one["check_result"]["suppress_comment"] for one in results["skipped_checks"]}
    assert all(len(reason) > 20 for reason in skipped.values()), skipped
    written = set(re.findall(r"checkov:skip=(\w+)", "\n".join(path.read_text() for path in MODULE.glob("*.tf"))))
    assert set(skipped) == written, "a skip that skips nothing goes"


def test_variables_are_described_validated_and_in_order() -> None:
    text = (MODULE / "variables.tf").read_text()
    blocks = re.split(r"^variable ", text, flags=re.MULTILINE)[1:]
    names = [block.split('"')[1] for block in blocks]
    assert names == sorted(names)
    for name, block in zip(names, blocks, strict=True):
        assert re.search(r"^  description = \".{20,}\"$", block, re.MULTILINE), f"{name} has no description"
        assert re.search(r"^  type +=", block, re.MULTILINE), f"{name} has no type"
    outputs = re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE)
    assert outputs == sorted(outputs)


def test_subscriptions_outlive_a_stop_and_dead_letters_are_kept(full_plan: dict[str, Any]) -> None:
    found = {one["values"]["name"]: one["values"] for one in resources(full_plan, "google_pubsub_subscription")}
    assert set(found) == {"events", "orders", "events-dead-letter-monitor", "orders-dead-letter-monitor"}
    assert all(one["expiration_policy"] == [{"ttl": ""}] for one in found.values())
    assert not any(one["push_config"] for one in found.values())
    for name in ("events", "orders"):
        assert found[name]["dead_letter_policy"][0]["dead_letter_topic"].endswith(f"/topics/{name}-dead-letter")
        assert found[f"{name}-dead-letter-monitor"]["message_retention_duration"] == "2678400s"
    assert found["orders"]["enable_message_ordering"] is True
    assert found["orders"]["message_retention_duration"] == "2678400s"
