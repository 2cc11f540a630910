"""The module passes terraform fmt, validate and test; its subscriptions and dead letters are kept."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.runner import DEPLOYMENT, MODULE, Terraform, copy_deployment, resources


def test_module_is_formatted() -> None:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    # Not the directory: it can contain a developer's terraform.tfvars.
    files = [str(path) for pattern in ("*.tf", "*.hcl") for path in sorted(DEPLOYMENT.rglob(pattern))]
    done = subprocess.run(["terraform", "fmt", "-check", *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"terraform fmt -recursive changes {done.stdout.split()}"


def test_module_is_valid(terraform: Terraform) -> None:
    terraform.run("validate")


COMMITTED = """
project        = "committed-project"
viewer         = { access = "iap", members = ["group:ops@example.com"] }
deploy         = { state_bucket = "committed-state" }
push_audiences = ["committed"]
receiver       = { invoker = "public" }
subscriptions  = { committed = { topic = "committed", start_running = true } }
"""


@pytest.mark.slow
def test_terraform_test_passes_beside_a_committed_tfvars(terraform: Terraform) -> None:
    variables = terraform.root / "terraform.tfvars"
    variables.write_text(COMMITTED)
    try:
        done = terraform.test_module()
    finally:
        variables.unlink()
    assert re.search(r"\d+ passed, 0 failed", done.stdout)


def test_root_passes_every_variable_and_output_through() -> None:
    for file, kind, passed in (
        ("variables.tf", "variable", r"^  (\w+) += var\.\1$"),
        ("outputs.tf", "output", r"^  value = module\.subscope\.(\w+)$"),
    ):
        declared = re.findall(rf'^{kind} "(\w+)"', (MODULE / file).read_text(), re.MULTILINE)
        assert re.findall(rf'^{kind} "(\w+)"', (DEPLOYMENT / file).read_text(), re.MULTILINE) == declared
        caller = DEPLOYMENT / ("main.tf" if kind == "variable" else file)
        assert re.findall(passed, caller.read_text(), re.MULTILINE) == declared


def test_root_leaves_defaults_and_checks_to_the_module() -> None:
    blocks = re.split(r"^variable ", (DEPLOYMENT / "variables.tf").read_text(), flags=re.MULTILINE)[1:]
    for block in blocks:
        assert "validation" not in block
        assert "project" in block or re.search(r"^  default = null$", block, re.MULTILINE), block


def test_module_configures_no_provider() -> None:
    assert not re.findall(r'^provider "', "\n".join(path.read_text() for path in MODULE.glob("*.tf")), re.MULTILINE)


def test_copied_deployment_lacks_local_values_state_and_backend(tmp_path: Path) -> None:
    for name in ("functions", "infra", "web", "terraform/.terraform", "terraform/tests", "terraform/modules/subscope"):
        (tmp_path / "root" / name).mkdir(parents=True)
    files = ("main.tf", "tests/a.tftest.hcl", "modules/subscope/main.tf")
    kept = {"main.py", "requirements.txt", ".dockerignore", *(f"terraform/{name}" for name in files)}
    own = {"terraform.tfvars", "more.auto.tfvars", "b.tfvars.json", "terraform.tfstate", "backend.tf", ".terraform/x"}
    for name in (*kept, *(f"terraform/{name}" for name in own)):
        (tmp_path / "root" / name).write_text("")
    copy_deployment(tmp_path / "root", tmp_path / "copy")
    copied = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert copied == kept


def test_variables_are_described_typed_and_sorted() -> None:
    text = (MODULE / "variables.tf").read_text()
    blocks = re.split(r"^variable ", text, flags=re.MULTILINE)[1:]
    names = [block.split('"')[1] for block in blocks]
    assert names == sorted(names)
    for name, block in zip(names, blocks, strict=True):
        assert re.search(r"^  description = \".{20,}\"$", block, re.MULTILINE), f"{name} has no description"
        assert re.search(r"^  type +=", block, re.MULTILINE), f"{name} has no type"
    outputs = re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE)
    assert outputs == sorted(outputs)


def test_stopped_subscriptions_do_not_expire_and_dead_letters_are_kept(full_plan: dict[str, Any]) -> None:
    subscriptions = {
        entry["values"]["name"]: entry["values"] for entry in resources(full_plan, "google_pubsub_subscription")
    }
    assert set(subscriptions) == {"events", "orders", "events-dead-letter-monitor", "orders-dead-letter-monitor"}
    assert all(made["expiration_policy"] == [{"ttl": ""}] for made in subscriptions.values())
    assert not any(made["push_config"] for made in subscriptions.values())
    for name in ("events", "orders"):
        assert subscriptions[name]["dead_letter_policy"][0]["dead_letter_topic"].endswith(f"/topics/{name}-dead-letter")
        assert subscriptions[f"{name}-dead-letter-monitor"]["message_retention_duration"] == "2678400s"
    assert subscriptions["orders"]["enable_message_ordering"] is True
    assert subscriptions["orders"]["message_retention_duration"] == "2678400s"
