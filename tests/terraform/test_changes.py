"""Later changes replace only what docs/operations.md says, and another region, a destroy and a new apply succeed."""

import re
from pathlib import Path

import pytest

from tests.support.terraform.applied import LEAST, Applied
from tests.support.terraform.indexes import FILE
from tests.support.terraform.runner import CALL, PROJECT, ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
OTHER_IMAGE = f"sha256:{'1' * 64}"


def documented() -> list[tuple[str, set[str]]]:
    """Return the rows of the page's table: a change of the variables, and the plan."""
    table = PAGE.partition("## The plan of a change\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) \| .* \|$", table, re.MULTILINE)
    return [(change, set(re.findall(r"`([^`]+)`", planned))) for change, planned in rows]


DOCUMENTED = documented()


def with_change(change: str) -> str:
    """Return the applied variables with one change."""
    kept = [line for line in LEAST.splitlines() if line.split()[0] != change.split()[0]]
    return "\n".join([*kept, change.replace("sha256:…", OTHER_IMAGE), ""])


def test_page_has_a_row_for_each_kind_of_change() -> None:
    assert {change.split()[0] for change, _ in DOCUMENTED} == {
        "alerts",
        "firestore",
        "kms_key",
        "masked_fields",
        "region",
        "retention_days",
        "secret_versions",
        "subscriptions",
        "viewer_image",
    }


@pytest.mark.parametrize(("change", "planned"), DOCUMENTED, ids=[change for change, _ in DOCUMENTED])
def test_change_plans_what_the_page_says(applied: Applied, change: str, planned: set[str]) -> None:
    assert applied.changes(with_change(change)) == planned


def test_another_region_a_destroy_and_a_new_apply_succeed(applied: Applied, tmp_path: Path) -> None:
    """The stand-in refuses a name that exists, and a function without its archive, as Google does."""
    moved = applied.copy(tmp_path / "moved.tfstate")
    moved.run("apply", with_change('region = "us-central1"'), "-auto-approve")
    assert moved.existing.of("google_cloudfunctions2_function") == {f"{PROJECT}/us-central1/subscope-receiver"}
    assert moved.existing.of("google_firestore_database") == applied.existing.of("google_firestore_database")

    moved.run("destroy", with_change('region = "us-central1"'), "-auto-approve")
    assert moved.existing.kinds() == {"google_firestore_database", "google_firestore_field"}
    # The messages that stay expire, and their payloads have no index.
    fields = {f"{PROJECT}/subscope/{one['collectionGroup']}/{one['fieldPath']}" for one in FILE["fieldOverrides"]}
    assert moved.existing.of("google_firestore_field") == fields

    moved.run("apply", with_change('firestore = { create = false, database = "subscope" }'), "-auto-approve")
    assert moved.existing.kinds() == applied.existing.kinds()


def test_rotated_secret_keeps_the_old_version(applied: Applied, tmp_path: Path) -> None:
    """The revision that runs needs it until the new one is ready."""
    rotated = applied.copy(tmp_path / "rotated.tfstate")
    versions = rotated.existing.of("google_secret_manager_secret_version")
    target = f"-target={CALL}google_secret_manager_secret_version.session_key"
    rotated.run("apply", with_change("secret_versions = { session_key = 2 }"), "-auto-approve", target)
    assert versions < rotated.existing.of("google_secret_manager_secret_version")
