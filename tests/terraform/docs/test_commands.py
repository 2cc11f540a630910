"""Every command in the deployment's pages: gcloud has it with its flags, and its variables are set before it."""

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
from tests.support.pages import DEPLOYMENT_TEXT, blocks, deployment_sections
from tests.support.terraform.runner import MODULE, ROOT

# Loops, redirections and other words that do not belong to the command.
_SHELL_WORDS = {"do", "done", "|", "&&", ";"}


def commands() -> Iterator[str]:
    """Every gcloud command of the pages, the smoke test, the module, and the comment in cloudbuild.yaml."""
    for block in blocks("sh", DEPLOYMENT_TEXT):
        for line in block.replace("\\\n", " ").splitlines():
            yield from (command.rstrip(" )") for command in re.findall(r"\bgcloud [^|;]*", line))
    smoke = (MODULE / "smoke_test.sh.tftpl").read_text()
    yield from re.findall(r"^gcloud .*", smoke, re.MULTILINE)
    yield from re.findall(r"\$\((gcloud (?:'[^']*'|[^)'])*)\)", smoke)
    yield from re.findall(r"(gcloud run services proxy [^\"]*)\"", smoke)
    advice = re.sub(r" \\\n#", "", (ROOT / "cloudbuild.yaml").read_text())
    yield from re.findall(r"gcloud builds submit --.*", advice)
    script = (MODULE / "build_viewer_image.sh").read_text().replace("\\\n", " ")
    yield from re.findall(r"^ +(gcloud .*)", script, re.MULTILINE)
    outputs = re.search(r'"(gcloud secrets versions access [^"]*)\$', (MODULE / "outputs.tf").read_text())
    assert outputs
    yield outputs[1] + "x"


@pytest.fixture(scope="module")
def gcloud_tree() -> dict[str, Any]:
    """Gcloud's tree of commands and flags, which its shell completion reads."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        pytest.skip("gcloud is not installed here")
    path = Path(gcloud).resolve().parent.parent / "data/cli/gcloud_completions.py"
    if not path.exists():
        pytest.skip(f"this gcloud has no {path}")
    tree: dict[str, Any] = runpy.run_path(str(path))["STATIC_COMPLETION_CLI_TREE"]
    return tree


def help_of(words: list[str]) -> str:
    """Return the text of ``--help``; the tree lacks some flags."""
    shown = subprocess.run(["gcloud", *words, "--help"], capture_output=True, text=True, timeout=60).stdout
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


def unknown(command: str, tree: dict[str, Any]) -> list[str]:
    """Return the flags of a command that gcloud does not have, or the subcommand that it does not have."""
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
    text = help_of(path) if flags else ""
    return sorted(flag for flag in flags if not is_named(flag, text))


def is_named(flag: str, text: str) -> bool:
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
def test_wrong_command_or_flag_is_found(command: str, wrong: list[str], gcloud_tree: dict[str, Any]) -> None:
    assert unknown(command, gcloud_tree) == wrong


def unset(section: str) -> set[str]:
    """Return variables used before they are set in the same section: readers start at the section they need."""
    known: set[str] = set()
    missing: set[str] = set()
    for block in blocks("sh", section):
        for line in block.splitlines():
            known |= set(re.findall(r"^ *for (\w+) in ", line))
            known |= set(re.findall(r"\bwhile read -r (\w+); do ", line))
            assignments = shlex.split(line)[1:] if line.startswith("export ") else []
            # An export can use variables set earlier in the same line.
            for word in assignments or [line]:
                missing |= set(re.findall(r"\$\{(\w+)\}", word)) - known
                known |= set(re.findall(r"^(\w+)=", word)) if assignments else set()
    return missing


@pytest.mark.parametrize(
    "section", [text for _, text in deployment_sections()], ids=[where for where, _ in deployment_sections()]
)
def test_variables_are_set_before_they_are_used(section: str) -> None:
    assert not unset(section)
    for block in blocks("sh", section):
        assert not re.findall(r"\$[A-Za-z]", block), "write ${NAME}, so that this test sees it"


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ("export A=1\necho ${A} ${B}", {"B"}),
        ("echo ${A}\nexport A=1", {"A"}),
        ('export A="INSIDE=${B}"\necho ${INSIDE}', {"B", "INSIDE"}),
        ("for name in a b; do\n  echo ${name}\ndone", set()),
        ("list | while read -r name; do echo ${name} ${other}; done", {"other"}),
    ],
)
def test_unset_variable_is_found(lines: str, missing: set[str]) -> None:
    assert unset(f"```sh\n{lines}\n```\n") == missing


def our_commands() -> list[str]:
    return [line for block in blocks("sh", DEPLOYMENT_TEXT) for line in block.splitlines() if "subscope " in line]


def test_our_commands_run_in_the_environment_of_make_setup() -> None:
    lines = [line for line in our_commands() if re.search(r"\bsubscope (user|status|redrive)", line)]
    assert len(lines) >= 4
    assert not [line for line in lines if not re.search(r"^\(cd \.\. && make setup && .*\.venv/bin/subscope ", line)]


def test_commands_are_valid_shell() -> None:
    for block in blocks("sh", DEPLOYMENT_TEXT):
        checked = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, timeout=10)
        assert checked.returncode == 0, checked.stderr


def test_builds_by_hand_plan_the_region_that_they_run_in() -> None:
    """Otherwise the substitution in cloudbuild.yaml wins over terraform.tfvars, and the plan replaces everything."""
    submitted = [command for command in commands() if "_ACTION=" in command]
    assert len(submitted) == 3
    for command in submitted:
        region = re.search(r"--region=(\S+)", command)
        assert region
        assert f"_REGION={region[1].strip(chr(34))}" in command.partition("--substitutions=")[2]


def test_builds_by_hand_upload_no_history_and_stage_where_their_account_can_read() -> None:
    for command in (command for command in commands() if "_ACTION=" in command):
        assert "--ignore-file=.cloudbuildignore" in command
        # The planner can read no other folder.
        folder = "plans" if "_ACTION=plan" in command else "builds"
        assert re.search(rf"--gcs-source-staging-dir=\S+-subscope-source/{folder}\b", command)


def test_named_outputs_and_resources_exist() -> None:
    outputs = set(re.findall(r'^output "(\w+)"', (MODULE / "outputs.tf").read_text(), re.MULTILINE))
    assert set(re.findall(r"terraform output -raw (\w+)", DEPLOYMENT_TEXT)) <= outputs
    sources = "".join(path.read_text() for path in MODULE.glob("*.tf"))
    for name in re.findall(r"`(google_\w+\.\w+)`", DEPLOYMENT_TEXT):
        assert f'resource "{name.replace(".", chr(34) + " " + chr(34))}"' in sources


def test_our_commands_have_the_named_subcommands() -> None:
    named = {match[1] for line in our_commands() if (match := re.search(r"\.venv/bin/subscope (\w+)", line))}
    shown = subprocess.run(
        [sys.executable, "-m", "infra", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert named == {"user", "status", "redrive"}
    assert named <= set(re.findall(r"^  (\w+)  ", shown, re.MULTILINE))


def test_first_administrator_behind_iap_is_added_as_documented(plan: dict[str, Any]) -> None:
    exported = plan["planned_values"]["outputs"]["console_environment"]["value"]
    settings = dict(re.findall(r"^export (\w+)='(.*)'$", exported, re.MULTILINE))
    (add,) = [line for line in our_commands() if " user add " in line]
    add = add.removeprefix("(cd .. && make setup && ").removesuffix(")")
    add = add.replace(".venv/bin/subscope", f"{sys.executable} -m infra")
    with local_firestore() as firestore:
        environ = {**settings, "PATH": "/usr/bin:/bin", "FIRESTORE_EMULATOR_HOST": firestore}
        done = subprocess.run(["sh", "-euc", add], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "Added admin@example.com as admin.\n"), done.stderr


def test_message_is_found_by_the_id_of_pubsub() -> None:
    (block,) = [block for block in blocks("sh", DEPLOYMENT_TEXT) if "sha256sum" in block]
    printed = subprocess.run(
        ["sh", "-euc", block], capture_output=True, text=True, timeout=10, check=True
    ).stdout.strip()
    assert printed == document_id("builds-monitor", "1234567890")
