"""The stub providers: mistakes that the real providers would refuse are errors, and the wire format is right."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Value

from tests.support.terraform.offline import wire
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.offline.replacements import REPLACED_WITH
from tests.support.terraform.offline.schemas import SchemasError, schemas_of
from tests.support.terraform.offline.serve import providers
from tests.support.terraform.runner import MODULE, SCHEMAS, Terraform

TOPIC = 'resource "google_pubsub_topic" "one" {\n  project = "p"\n'


def validate(directory: Path, text: str) -> tuple[int, str]:
    """Validate a module that has only ``text``."""
    (directory / "main.tf").write_text(text)
    try:
        schemas = schemas_of({"google_pubsub_topic", "google_storage_bucket"}, SCHEMAS)
    except SchemasError as exc:
        pytest.skip(str(exc))
    with providers(schemas) as attached:
        environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TF_DATA_DIR": str(directory / "data"), **attached}
        for subcommand in (("init", "-backend=false"), ("validate", "-no-color")):
            command = [str(shutil.which("terraform")), f"-chdir={directory}", *subcommand]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    return done.returncode, " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'{TOPIC}  name = "t"\n}}', ""),
        (f"{TOPIC}}}", 'The argument "name" is required'),
        (f'{TOPIC}  name = "t"\n  colour = "t"\n}}', 'An argument named "colour" is not expected here'),
        (f'{TOPIC}  name = "t"\n  labels = "no map"\n}}', 'Inappropriate value for attribute "labels"'),
        (
            f'{TOPIC}  name = "t"\n  schema_settings {{\n    encoding = "XML"\n  }}\n}}',
            'The argument "schema" is required',
        ),
        (
            f'{TOPIC}  name = "t"\n  schema_settings {{\n    schema = "s"\n    encoding = "XML"\n  }}\n}}',
            "Unexpected value 'XML' for encoding",
        ),
        ('resource "google_pubsub_tropic" "one" {}', 'does not support resource type "google_pubsub_tropic"'),
    ],
    ids=["right", "missing", "unknown", "type", "missing in a block", "undocumented value", "resource"],
)
def test_mistake_in_a_module_is_an_error(terraform: Terraform, tmp_path: Path, text: str, problem: str) -> None:
    status, stderr = validate(tmp_path, text)
    assert status == bool(problem), stderr
    assert problem in stderr


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31])
def test_integer_fields_are_decoded_as_encoded(number: int) -> None:
    assert wire.decode(wire.message(1, b"ab") + wire.field(2, number)).get(2, 0) == number


def test_messages_are_those_of_protobuf() -> None:
    assert Value.FromString(wire.field(3, "hällo")).string_value == "hällo"
    assert Value.FromString(wire.field(4, True)).bool_value is True
    assert wire.decode(Value(string_value="x" * 300).SerializeToString()) == {3: b"x" * 300}


def test_missing_schemas_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(SchemasError, match=r"^cdktn-provider-archive==[\d.]+ cannot be downloaded"):
        schemas_of(set(), tmp_path / "cache")


def test_arguments_that_replace_are_known_for_each_type_of_the_module() -> None:
    text = "\n".join(path.read_text() for path in MODULE.glob("*.tf"))
    used = {kind for kind in re.findall(r'^resource "(google_\w+)"', text, re.MULTILINE) if "_iam_member" not in kind}
    assert used <= REPLACED_WITH.keys(), "the provider's source has them: ForceNew"


SECRET = {"project": "p", "secret_id": "s"}
KEPT_SECRET = {**SECRET, "deletion_policy": "ABANDON"}
VERSION = {"secret": "projects/p/secrets/s", "id": "1"}
CREATED, VERSIONS = "google_secret_manager_secret", "google_secret_manager_secret_version"


@pytest.mark.parametrize(
    ("calls", "error", "left"),
    [
        ([(CREATED, None, SECRET)], "", {CREATED}),
        ([(CREATED, None, SECRET), (CREATED, None, SECRET)], "409: projects/p/secrets/s already exists", {CREATED}),
        ([(CREATED, None, SECRET), (CREATED, SECRET, None), (CREATED, None, SECRET)], "", {CREATED}),
        ([(CREATED, None, SECRET), (CREATED, KEPT_SECRET, None)], "", {CREATED}),
        ([(VERSIONS, None, VERSION), (VERSIONS, None, VERSION)], "", {VERSIONS}),
        ([(CREATED, None, SECRET), (VERSIONS, None, VERSION), (CREATED, SECRET, None)], "", set()),
    ],
    ids=["created", "exists", "replaced", "abandoned", "no unique name", "deleted with its parts"],
)
def test_name_that_exists_is_refused(calls: list[tuple[str, Any, Any]], error: str, left: set[str]) -> None:
    existing = ExistingResources()
    answers = [existing.apply(*call) for call in calls]
    assert error in answers[-1] if error else not any(answers)
    assert existing.kinds() == left
