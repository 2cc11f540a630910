"""The helpers that run terraform: a module that cannot be initialised fails, and only a missing network skips."""

from pathlib import Path

import pytest

from tests.support.terraform.runner import ROOT, Terraform, copy_deployment, find_terraform, says_no_registry

UNREACHABLE = """
\x1b[31m╷\x1b[0m
│ Error: Failed to query available provider packages
│
│ Could not retrieve the list of available versions for provider
│ hashicorp/google: could not connect to
│ registry.terraform.io: failed to request discovery document: Get
│ "https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup
│ registry.terraform.io: no such host
╵
"""
TOO_OLD = """
│ Error: Failed to query available provider packages
│
│ Could not retrieve the list of available versions for provider
│ hashicorp/google: no available releases match the given constraints >= 99.0.0
"""
BROKEN = """
Error: Unreadable module directory

Unable to evaluate directory symlink: lstat gone: no such file or directory
"""


@pytest.mark.parametrize(
    ("stderr", "skips"),
    [
        (UNREACHABLE, True),
        ("Error while installing hashicorp/google v8.0.0: could not query provider\nregistry for it", True),
        ('Get "https://releases.hashicorp.com/x.zip": net/http: TLS handshake timeout', True),
        (TOO_OLD, False),
        (BROKEN, False),
    ],
)
def test_only_a_missing_network_skips(stderr: str, skips: bool) -> None:
    assert says_no_registry(stderr) == skips


def test_uninitialisable_module_fails(terraform: Terraform, tmp_path: Path) -> None:
    if not terraform.plans:
        pytest.skip("the providers' schemas are not here")
    copied = copy_deployment(ROOT, tmp_path / "root")
    (copied / "broken.tf").write_text('module "gone" {\n  source = "./gone"\n}\n')
    # pytest.skip raises as well, and would end this test without a failure.
    with pytest.raises((AssertionError, pytest.skip.Exception), match="init") as raised:
        find_terraform(tmp_path, tmp_path / "root")
    assert raised.type is AssertionError
