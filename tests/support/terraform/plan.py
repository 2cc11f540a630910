"""Facts read from a plan of the module."""

import re
from typing import Any

from tests.support.terraform.runner import Terraform, values


def dependencies(terraform: Terraform) -> dict[str, set[str]]:
    """Return the direct dependencies of each resource in terraform's graph."""
    drawn = terraform.run("graph").stdout
    found: dict[str, set[str]] = {name: set() for name in re.findall(r'^  "([^"]+)" \[', drawn, re.MULTILINE)}
    for one, other in re.findall(r'^  "([^"]+)" -> "([^"]+)";', drawn, re.MULTILINE):
        found[one].add(other)
    return found


def waits_for(found: dict[str, set[str]], name: str) -> set[str]:
    """Return all direct and indirect dependencies of a resource, and the resource itself."""
    seen: set[str] = set()
    wanted = [name]
    while wanted:
        one = wanted.pop()
        if one not in seen:
            seen.add(one)
            wanted += found[one]
    return seen


def receiver_environment(plan: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = values(plan, "google_cloudfunctions2_function.receiver")["service_config"][0][
        "environment_variables"
    ]
    return found


def viewer_variables(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = values(plan, "google_cloud_run_v2_service.viewer")["template"][0]["containers"][0][
        "env"
    ]
    return found
