"""Facts read from a plan of the module."""

import hashlib
import json
import re
from typing import Any

from infra.settings.settings_file import CHANGEABLE
from tests.support.terraform.runner import CALL, Terraform, values


def dependencies(terraform: Terraform) -> dict[str, set[str]]:
    """Return the direct dependencies of each resource in terraform's graph, by its address in the module."""
    drawn = terraform.run("graph").stdout.replace(f'"{CALL}', '"')
    waiting: dict[str, set[str]] = {name: set() for name in re.findall(r'^ +"([^"]+)" \[', drawn, re.MULTILINE)}
    for resource, other in re.findall(r'^ +"([^"]+)" -> "([^"]+)";', drawn, re.MULTILINE):
        waiting[resource].add(other)
    return waiting


def waits_for(graph: dict[str, set[str]], name: str) -> set[str]:
    """Return all direct and indirect dependencies of a resource, and the resource itself."""
    seen: set[str] = set()
    wanted = [name]
    while wanted:
        resource = wanted.pop()
        if resource not in seen:
            seen.add(resource)
            wanted += graph[resource]
    return seen


def receiver_environment(plan: dict[str, Any]) -> dict[str, str]:
    service = values(plan, "google_cloudfunctions2_function.receiver")["service_config"][0]
    environment: dict[str, str] = service["environment_variables"]
    return environment


def settings_file(plan: dict[str, Any]) -> dict[str, str]:
    """Return the content of the receiver's settings file: no plan has it, but the viewer has the same settings."""
    held = {one["name"]: one["value"] for one in viewer_variables(plan) if one["name"] in CHANGEABLE}
    text = json.dumps(held, sort_keys=True, separators=(",", ":"))
    version = values(plan, "google_secret_manager_secret_version.receiver_settings")["secret_data_wo_version"]
    assert int(version) == int(hashlib.sha256(text.encode()).hexdigest()[:8], 16), "the file has other settings"
    return held


def viewer_variables(plan: dict[str, Any]) -> list[dict[str, Any]]:
    template = values(plan, "google_cloud_run_v2_service.viewer")["template"][0]
    variables: list[dict[str, Any]] = template["containers"][0]["env"]
    return variables
