"""Every command that terraform/README.md tells people to type: gcloud has it with its flags, its variables are set."""

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.messages.message import document_id
from tests.support.firestore.servers import local_firestore
from tests.support.terraform.indexes import FILE, held_indexes, overrides
from tests.support.terraform.readme import TEXT, blocks, sections, without_terraform
from tests.support.terraform.runner import MODULE, ROOT, resources

ROLE = "google_project_iam_custom_role"
# Loops, redirections and what else is not the command's own.
_SHELL_WORDS = {"do", "done", "|", "&&", ";"}


def commands() -> Iterator[str]:
    """Every gcloud command: of the README, of the smoke test, of the module and of cloudbuild.yaml's own advice."""
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield from (one.rstrip(" )") for one in re.findall(r"\bgcloud [^|;]*", line))
    smoke = (MODULE / "smoke_test.sh.tftpl").read_text()
    yield from re.findall(r"^gcloud .*", smoke, re.MULTILINE)
    yield from re.findall(r"\$\((gcloud [^)]*)\)", smoke)
    yield from re.findall(r"(gcloud run services proxy [^\"]*)\"", smoke)
    advice = re.sub(r" \\\n#", "", (ROOT / "cloudbuild.yaml").read_text())
    yield from re.findall(r"gcloud builds submit --.*", advice)
    applied = re.search(r'"gcloud builds submit \.".*?\]\)', (MODULE / "build.tf").read_text(), re.DOTALL)
    assert applied
    yield " ".join(
        json.loads(f'"{part}"') for part in re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(r"\$\{[^}]*\}", "x", applied[0]))
    )
    outputs = re.search(r'"(gcloud secrets versions access [^"]*)\$', (MODULE / "outputs.tf").read_text())
    assert outputs
    yield outputs[1] + "x"


@pytest.fixture(scope="module")
def gcloud_tree() -> dict[str, Any]:
    """gcloud's own tree of commands and flags, which its shell completion reads."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    path = Path(gcloud).resolve().parent.parent / "data/cli/gcloud_completions.py"
    if not path.exists():
        pytest.skip(f"this gcloud has no {path}")
    tree: dict[str, Any] = runpy.run_path(str(path))["STATIC_COMPLETION_CLI_TREE"]
    return tree


def helped(words: list[str]) -> str:
    """What ``--help`` says; the tree leaves some flags out."""
    said = subprocess.run(["gcloud", *words, "--help"], capture_output=True, text=True, timeout=60).stdout
    return re.sub(r"\x1b\[[0-9;]*m", "", said)


def unknown(command: str, tree: dict[str, Any]) -> list[str]:
    """The flags of a command that gcloud does not have; its subcommand, when it does not have that."""
    words = [word for word in shlex.split(command)[1:] if word not in _SHELL_WORDS]
    node, path = tree, []
    while words and words[0] in node["commands"]:
        path.append(words[0])
        node = node["commands"][words.pop(0)]
    if node["commands"]:
        return [" ".join([*path, *words[:1]])]
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    flags = {flag for flag in flags if flag.replace("--no-", "--") not in node["flags"] and flag not in node["flags"]}
    flags -= set(tree["flags"])
    text = helped(path) if flags else ""
    return sorted(flag for flag in flags if not _named(flag, text))


def _named(flag: str, text: str) -> bool:
    plain = re.escape(flag.removeprefix("--no-").removeprefix("--"))
    return re.search(rf"--(\[no-\]|no-)?{plain}(?![\w-])", text) is not None


@pytest.mark.parametrize("command", sorted(set(commands())), ids=lambda text: " ".join(text.split()[1:4]))
def test_gcloud_has_the_command_and_its_flags(command: str, gcloud_tree: dict[str, Any]) -> None:
    assert not unknown(command, gcloud_tree)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("gcloud pubsub topics create t --labls=a=b", ["--labls"]),
        ("gcloud run services update s --no-invoker-iam-chek", ["--no-invoker-iam-chek"]),
        ("gcloud pubsub topic create t", ["pubsub topic"]),
        ("gcloud run services update s --no-invoker-iam-check", []),
    ],
)
def test_a_wrong_command_or_flag_is_noticed(command: str, wrong: list[str], gcloud_tree: dict[str, Any]) -> None:
    assert unknown(command, gcloud_tree) == wrong


def unset(section: str) -> set[str]:
    """The variables that a section's commands use before they are set in it: people begin where their question is."""
    known: set[str] = set()
    missing: set[str] = set()
    for block in blocks("sh", section):
        for line in block.splitlines():
            known |= set(re.findall(r"^ *for (\w+) in ", line))
            assignments = shlex.split(line)[1:] if line.startswith("export ") else []
            # One export may use what stands before it in the same line.
            for word in assignments or [line]:
                missing |= set(re.findall(r"\$\{(\w+)\}", word)) - known
                known |= set(re.findall(r"^(\w+)=", word)) if assignments else set()
    return missing


@pytest.mark.parametrize("section", sections(), ids=lambda text: text.splitlines()[0].strip("# "))
def test_variables_are_set_before_they_are_used(section: str) -> None:
    assert not unset(section)
    for block in blocks("sh", section):
        assert not re.findall(r"\$[A-Za-z]", block), "${NAME}, so that this test sees it"


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ("export A=1\necho ${A} ${B}", {"B"}),
        ("echo ${A}\nexport A=1", {"A"}),
        ('export A="INSIDE=${B}"\necho ${INSIDE}', {"B", "INSIDE"}),
        ("for one in a b; do\n  echo ${one}\ndone", set()),
    ],
)
def test_a_variable_that_is_not_set_is_noticed(lines: str, missing: set[str]) -> None:
    assert unset(f"```sh\n{lines}\n```\n") == missing


def test_our_own_commands_run_where_make_setup_put_their_packages() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if "python -m" in line]
    assert len(lines) >= 4
    assert not [line for line in lines if not re.search(r"^\(cd \.\. && make setup && .*\.venv/bin/python -m ", line)]


def test_the_commands_are_shell() -> None:
    for block in blocks("sh"):
        checked = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, timeout=10)
        assert checked.returncode == 0, checked.stderr


def test_builds_by_hand_plan_the_region_that_they_run_in() -> None:
    """cloudbuild.yaml's own would win over terraform.tfvars, and the plan replace everything."""
    submitted = [one for one in commands() if "_ACTION=" in one]
    assert len(submitted) == 3
    for one in submitted:
        region = re.search(r"--region=(\S+)", one)
        assert region
        assert f"_REGION={region[1].strip(chr(34))}" in one.partition("--substitutions=")[2]


def test_a_build_by_hand_leaves_history_at_home_and_is_staged_where_its_account_may_read() -> None:
    for one in (command for command in commands() if "_ACTION=" in command):
        assert "--ignore-file=.cloudbuildignore" in one
        # The planner reads no other folder.
        folder = "plans" if "_ACTION=plan" in one else "builds"
        assert re.search(rf"--gcs-source-staging-dir=\S+-subscope-source/{folder}\b", one)


def test_outputs_and_modules_that_are_named_exist() -> None:
    outputs = set(re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE))
    assert set(re.findall(r"terraform output -raw (\w+)", TEXT)) <= outputs
    for module in re.findall(r"python -m ([a-z.]+)", TEXT):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for name in re.findall(r"`(google_\w+\.\w+)`", TEXT):
        assert f'resource "{name.replace(".", chr(34) + " " + chr(34))}"' in "".join(
            p.read_text() for p in MODULE.glob("*.tf")
        )


def test_without_terraform_the_same_apis_are_on(plan: dict[str, Any]) -> None:
    (line,) = re.findall(r"^gcloud services enable (.*)$", without_terraform(), re.MULTILINE)
    assert set(line.split()) == {one["values"]["service"] for one in resources(plan, "google_project_service")}


def test_without_terraform_the_same_fields_have_no_index_and_expire() -> None:
    groups: list[str] = []
    fields: list[str] = []
    exempt: dict[str, set[str]] = {}
    expiring: set[str] = set()
    for line in without_terraform().splitlines():
        if loop := re.match(r"for (group|field) in (.*); do$", line):
            groups, fields = (loop[2].split(), []) if loop[1] == "group" else ([], loop[2].split())
        elif found := re.search(r"indexes fields update (\S+) --collection-group=(\S+) --disable-indexes", line):
            for group in groups if "${" in found[2] else [found[2]]:
                exempt.setdefault(group, set()).update(fields if "${" in found[1] else [found[1]])
        elif "fields ttls update expire_at" in line:
            expiring |= set(groups)
    assert exempt == overrides()
    assert expiring == {one["collectionGroup"] for one in FILE["fieldOverrides"] if one.get("ttl")}


def test_without_terraform_a_field_is_changed_once_its_expiry_is_on() -> None:
    """Both are operations of minutes on the same field."""
    section = without_terraform()
    assert "--async" not in re.findall(r"firestore fields ttls update .*", section)[0]
    assert section.index("fields ttls update") < section.index("indexes fields update")


def test_without_terraform_the_roles_and_indexes_are_the_same(plan: dict[str, Any]) -> None:
    section = without_terraform()
    created = dict(re.findall(r"iam roles create (\w+) --project=\S+ --permissions=(\S+)", section))
    roles = {one["values"]["role_id"]: one["values"]["permissions"] for one in resources(plan, ROLE)}
    assert {name: sorted(held.split(",")) for name, held in created.items()} == {
        name: sorted(held) for name, held in roles.items()
    }
    indexes = []
    for line in re.findall(r"indexes composite create --collection-group=messages (.*)", section):
        found = re.findall(r"field-path=(\w+),(?:order|array-config)=(\w+)", line)
        indexes.append(tuple((name, how.upper()) for name, how in found))
    assert sorted(indexes) == sorted(held_indexes())


def test_the_first_administrator_behind_iap_is_added_as_it_says(plan: dict[str, Any]) -> None:
    exported = plan["planned_values"]["outputs"]["console_environment"]["value"]
    settings = dict(re.findall(r"^export (\w+)='(.*)'$", exported, re.MULTILINE))
    (add,) = [line for block in blocks("sh") for line in block.splitlines() if " infra user add " in line]
    add = add.removeprefix("(cd .. && make setup && ").removesuffix(")").replace(".venv/bin/python", sys.executable)
    with local_firestore() as firestore:
        environ = {**settings, "PATH": "/usr/bin:/bin", "FIRESTORE_EMULATOR_HOST": firestore}
        done = subprocess.run(["sh", "-euc", add], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "Added ana@example.com as admin.\n"), done.stderr


def test_a_message_is_found_by_pubsubs_id() -> None:
    (block,) = [one for one in blocks("sh") if "sha256sum" in one]
    printed = subprocess.run(
        ["sh", "-euc", block], capture_output=True, text=True, timeout=10, check=True
    ).stdout.strip()
    assert printed == document_id("builds-monitor", "1234567890")
