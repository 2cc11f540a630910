"""The database: its name, which a later change does not touch, and its backups."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.grants import grants
from tests.support.terraform.plan import receiver_environment, viewer_variables
from tests.support.terraform.runner import IMAGE, PROJECT, Terraform, actions, resources, values
from tests.support.terraform.variables import KEY

DATABASE = "google_firestore_database.this[0]"
SCHEDULE = "google_firestore_backup_schedule"


def names_in(plan: dict[str, Any]) -> set[str]:
    """Return the name of the database in each place of a plan that has one."""
    of_viewer = {variable["name"]: variable["value"] for variable in viewer_variables(plan)}
    kinds = ("google_firestore_index", "google_firestore_field", SCHEDULE)
    return {
        values(plan, DATABASE)["name"],
        of_viewer["FIRESTORE_DATABASE"],
        receiver_environment(plan)["FIRESTORE_DATABASE"],
        *(entry["values"]["database"] for kind in kinds for entry in resources(plan, kind)),
        *(condition.rpartition("/")[2].rstrip('"') for *_, condition in grants(plan) if "/databases/" in condition),
    }


def test_new_database_is_named_like_the_deployment(plan: dict[str, Any]) -> None:
    assert names_in(plan) == {"subscope"}


def test_name_of_a_database_has_at_least_four_characters(terraform: Terraform) -> None:
    assert names_in(terraform.plan("short", f'project = "{PROJECT}"\nname = "ab"')) == {"subscope-ab"}


@pytest.fixture(scope="module")
def old_state(terraform: Terraform) -> Path:
    """The state of a deployment with the database (default), from before accounts and roles could be named."""
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    state = terraform.state("default-database")
    database = '-var=firestore={database="(default)"}'
    terraform.run("apply", "-auto-approve", database, *options(state))
    old = json.loads(state.read_text())
    kinds = ("google_project_iam_custom_role", "google_service_account")
    single = [one for one in old["resources"] if one["type"] in kinds and one["instances"][0].get("index_key") == 0]
    assert len(single) == 8, "four accounts and four roles"
    for one in single:
        del one["instances"][0]["index_key"]
    state.write_text(json.dumps(old))
    return state


def options(state: Path) -> list[str]:
    return ["-input=false", "-no-color", f"-state={state}", f"-var=project={PROJECT}", f"-var=viewer_image={IMAGE}"]


def changes(terraform: Terraform, state: Path, *variables: str) -> tuple[dict[str, list[str]], dict[str, Any], str]:
    """Return what a plan does with each resource, the plan, and its text."""
    out = state.with_suffix(".tfplan")
    text = terraform.run("plan", f"-out={out}", *options(state), *variables).stdout
    plan = json.loads(terraform.run("show", "-json", str(out)).stdout)
    return actions(plan), plan, " ".join(text.replace("│", " ").split())


def test_deployment_with_the_old_default_keeps_its_database_and_changes_nothing(
    terraform: Terraform, old_state: Path
) -> None:
    done, plan, text = changes(terraform, old_state)
    assert {address: what for address, what in done.items() if what not in (["no-op"], ["read"])} == {}
    assert names_in(plan) == {"(default)"}
    assert "The database (default)" not in text


def test_later_change_of_name_location_or_key_keeps_the_database_and_warns(
    terraform: Terraform, old_state: Path
) -> None:
    firestore = f'-var=firestore={{database="other",location="eur3",kms_key="{KEY}"}}'
    done, plan, text = changes(terraform, old_state, firestore)
    assert done[DATABASE] == ["no-op"]
    assert names_in(plan) == {"(default)"}
    assert "The database (default) stays: a database cannot be renamed." in text
    assert "The database (default) keeps the key of its creation, or Google's" in text


def test_database_is_backed_up_each_day_for_a_week_by_default(plan: dict[str, Any]) -> None:
    (schedule,) = resources(plan, SCHEDULE)
    kept = schedule["values"]
    assert (kept["retention"], kept["daily_recurrence"], kept["weekly_recurrence"]) == (f"{7 * 86_400}s", [{}], [])


def test_backups_and_recovery_are_as_configured(company_plan: dict[str, Any]) -> None:
    kept = {entry["index"]: entry["values"] for entry in resources(company_plan, SCHEDULE)}
    assert {every: one["retention"] for every, one in kept.items()} == {
        "daily": f"{14 * 86_400}s",
        "weekly": f"{28 * 86_400}s",
    }
    assert (kept["weekly"]["daily_recurrence"], kept["weekly"]["weekly_recurrence"]) == ([], [{"day": "SUNDAY"}])
    database = values(company_plan, DATABASE)
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"


def test_no_backup_is_made_on_request(private_plan: dict[str, Any]) -> None:
    assert list(resources(private_plan, SCHEDULE)) == []
