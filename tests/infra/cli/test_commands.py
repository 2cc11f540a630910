"""The commands against the local cloud: in this process, and as real processes where the process matters."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from test_utils.retry import RetryResult

from infra.accounts.user_store import UserStore
from infra.cli.program import main
from infra.firestore.encoding import Plain
from infra.settings import ConsoleSettings
from infra.version import version
from tests.support.accounts import NAMES
from tests.support.browser.writing import writer_at
from tests.support.commands import invoke
from tests.support.firestore.servers import LocalFirestore
from tests.support.local_cloud import Cloud
from tests.support.measuring import measuring_environ

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = [
    ["publish"],
    ["status"],
    ["start"],
    ["stop"],
    ["tail"],
    ["user"],
    ["user", "add"],
    ["user", "password"],
    ["user", "role"],
    ["user", "list"],
    ["user", "remove"],
    ["redrive"],
]


def run(*words: str, environ: dict[str, str] | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "infra", *words],
        input=stdin,
        capture_output=True,
        env={"PATH": os.environ["PATH"], **measuring_environ(), **(environ or {})},
        cwd=ROOT,
        timeout=60,
    )
    return subprocess.CompletedProcess(
        result.args, result.returncode, result.stdout.decode(), result.stderr.decode(errors="replace")
    )


def refused(*words: str, **environ: str) -> str:
    """Run a command in this process that refuses its arguments with exit code 2; return its standard error."""
    result = CliRunner().invoke(main, words, env=environ, prog_name="subscope")
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    return result.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"], prog_name="subscope")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: subscope " + " ".join(words))


def test_module_runs_as_a_program() -> None:
    assert run("status", "--help").stdout.startswith("Usage: python -m infra status")


def test_version_is_the_one_of_the_package() -> None:
    assert invoke("--version", environ={}).stdout == f"{version()}\n"


def test_installed_script_runs_from_any_folder(tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra/__init__.py").write_text("raise AssertionError('a folder called infra was imported')")
    script = python.with_name("subscope")
    subprocess.run(["make", "--silent", f"VENV={tmp_path / 'venv'}", str(script)], cwd=ROOT, check=True, timeout=60)
    shown = subprocess.run([script, "redrive", "-h"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert shown.stdout.startswith("Usage: subscope redrive [OPTIONS] SUBSCRIPTION TOPIC"), shown.stderr


def test_documentation_lists_every_command() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    missing = [" ".join(words) for words in COMMANDS if words != ["user"] and f"| `{' '.join(words)}" not in page]
    assert not missing, f"docs/commands.md does not list {missing}"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["status"], "GOOGLE_CLOUD_PROJECT is not set"),
        (["--ready-file", "nowhere.json", "status"], "No local cloud is running"),
        (["publish"], "Missing argument 'TOPIC'"),
        (["user", "add", "viewer", "--role", "king"], "'king' is not one of"),
        (["tail", "--filter", "a=b levl:high"], "at column 5, levl: is not known; known are after:, before:, has:,"),
        (["publish", "builds", "x", "-a", "nonsense"], "'nonsense' is not KEY=VALUE"),
    ],
    ids=["no settings", "no local cloud", "no topic", "no such role", "no filter", "no attribute"],
)
def test_wrong_argument_is_one_sentence_and_exit_code_2(words: list[str], text: str) -> None:
    assert text in refused(*words)


def test_password_without_a_terminal_needs_the_stdin_option(cloud: Cloud) -> None:
    assert "use --password-stdin" in refused("user", "add", "viewer", **cloud.environ)


def test_ready_file_of_a_killed_local_cloud_is_refused(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text('{"environment": {}}')
    ready_file.with_suffix(".lock").touch()
    assert f"The local cloud that wrote {ready_file} is gone" in refused("--ready-file", str(ready_file), "status")


def test_missing_topic_is_one_line_and_exit_code_1(cloud: Cloud) -> None:
    result = run("publish", "no-such-topic", "x", environ=cloud.environ)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "no-such-topic" in result.stderr


def test_unreachable_cloud_is_one_line_and_exit_code_1(cloud: Cloud) -> None:
    unreachable = {**cloud.environ, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9", "PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}
    for words in (["user", "list"], ["publish", "builds", "x"]):
        result = invoke(*words, environ=unreachable)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_tail_prints_published_messages_that_match(cloud: Cloud) -> None:
    mark = uuid4().hex
    publish = ["publish", cloud["topic"], '{"n": 1}', "-a", f"mark={mark}", "--ordering-key", "k"]
    assert invoke(*publish, environ=cloud.environ).exit_code == 0
    options = ["-n", "1", "--json", "--filter", f"mark={mark} data.n=1 -kind:text"]
    with following(*options, environ=cloud.environ) as tail:
        first = json.loads(next(tail))
        other = ["publish", cloud["topic"], "not this", "-a", f"mark={mark}"]
        assert invoke(*other, environ=cloud.environ).exit_code == 0
        result = invoke(*publish, "--count", "3", environ=cloud.environ)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith("Published 3 messages")
        lines = [first, *(json.loads(next(tail)) for _ in range(3))]
    assert {(line["attributes"]["mark"], line["ordering_key"], line["preview"]) for line in lines} == {
        (mark, "k", '{"n": 1}')
    }
    assert len({line["message_id"] for line in lines}) == 4


@pytest.mark.parametrize("lines", [0, 2])
def test_tail_prints_older_messages_only_up_to_lines(cloud: Cloud, lines: int) -> None:
    mark = uuid4().hex
    marked: dict[str, Plain] = {"attributes": {"mark": mark}, "tokens": [f"mark={mark}"]}
    then = datetime.now(UTC) - timedelta(seconds=30)
    new: list[str] = []
    ended = threading.Event()

    def write() -> None:
        # The process does not report when its first reading ends, so new messages are written until it prints one.
        while not ended.wait(0.5):
            new.append(writer.message(**marked))

    with writer_at(cloud) as writer:
        old = [writer.message(received_at=then + timedelta(seconds=number), **marked) for number in range(5)]
        with following("-n", str(lines), "--json", "--filter", f"mark={mark}", environ=cloud.environ) as tail:
            assert [json.loads(next(tail))["id"] for _ in range(lines)] == old[len(old) - lines :]
            thread = threading.Thread(target=write)
            thread.start()
            try:
                assert json.loads(next(tail))["id"] in new
            finally:
                ended.set()
                thread.join()


def test_tail_refuses_a_subscription_that_is_not_monitored(cloud: Cloud) -> None:
    problem = refused("tail", "--subscription", "bilds", **cloud.environ)
    assert f"'bilds' is not monitored here; SUBSCRIPTIONS names {cloud['subscription']}" in problem


@contextmanager
def following(*words: str, environ: dict[str, str]) -> Iterator[Iterator[str]]:
    """Yield the lines of ``tail`` as it prints them; it is killed after 45 s."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra", "tail", *words],
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **measuring_environ(), **environ},
        cwd=ROOT,
        text=True,
    ) as tail:
        time_limit = threading.Timer(45, tail.kill)
        time_limit.start()
        try:
            assert tail.stdout is not None
            yield iter(tail.stdout)
        finally:
            time_limit.cancel()
            tail.terminate()


def test_tail_points_at_the_error_in_a_filter(cloud: Cloud) -> None:
    assert refused("tail", "--filter", "ok kind:xml", **cloud.environ).endswith(
        "at column 9, a kind is one of json, text, binary, empty; found 'xml'.\n  ok kind:xml\n          ^\n"
    )


@pytest.mark.slow
def test_file_and_standard_input_are_published_byte_for_byte(cloud: Cloud, tmp_path: Path) -> None:
    mark = uuid4().hex
    payload = bytes(range(256))
    (tmp_path / "payload").write_bytes(payload)
    attribute = ["-a", f"mark={mark}"]
    from_file = ["publish", cloud["topic"], "--file", str(tmp_path / "payload"), *attribute]
    published = invoke(*from_file, environ=cloud.environ)
    assert published.exit_code == 0, published.stderr
    assert run("publish", cloud["topic"], *attribute, environ=cloud.environ, stdin=payload).returncode == 0

    def stored() -> list[dict[str, object]]:
        result = invoke("tail", "--no-follow", "--json", "--filter", f"mark={mark}", environ=cloud.environ)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def are_both_stored(shown: list[dict[str, object]]) -> bool:
        return len(shown) == 2

    retry = RetryResult(are_both_stored, max_tries=6, delay=0.2)  # type: ignore[no-untyped-call]
    shown = retry(stored)()
    assert [(message["kind"], message["size_bytes"]) for message in shown] == [("binary", 256)] * 2


def test_publish_keeps_the_rate(cloud: Cloud) -> None:
    start = time.monotonic()
    result = invoke("publish", cloud["topic"], "x", "--count", "20", "--rate", "10", environ=cloud.environ)
    assert result.exit_code == 0, result.stderr
    assert time.monotonic() - start > 1.8


def test_user_commands_add_change_list_and_remove(cloud: Cloud, settings: ConsoleSettings, users: UserStore) -> None:
    name = NAMES.create_prefix()
    password = b"a long enough password\n"
    added = invoke("user", "add", name, "--role", "operator", "--password-stdin", environ=cloud.environ, stdin=password)
    assert (added.exit_code, added.stdout) == (0, f"Added {name} as operator.\n")
    assert f"{name:<32} operator" in invoke("user", "list", environ=cloud.environ).stdout
    assert users.authenticate(name, "a long enough password", address="").role == "operator"
    assert invoke("user", "role", name, "viewer", environ=cloud.environ).exit_code == 0
    short = invoke("user", "password", name, "--password-stdin", environ=cloud.environ, stdin=b"short\n")
    assert short.exit_code == 2
    assert short.stderr == "Error: password: has 5 characters; the minimum is 12.\n"
    assert invoke("user", "remove", name, environ=cloud.environ).exit_code == 0
    again = invoke("user", "remove", name, environ=cloud.environ)
    assert (again.exit_code, again.stderr) == (1, f"Error: There is no user {name}.\n")


def test_ready_local_cloud_has_an_admin(cloud: Cloud) -> None:
    listed = invoke("user", "list", environ=cloud.environ).stdout
    assert re.search(r"^admin +admin ", listed, re.MULTILINE)


def test_first_user_without_the_right_of_an_admin_is_warned_of_and_the_last_admin_stays(cloud: Cloud) -> None:
    firestore = LocalFirestore()
    environ = {**cloud.environ, "FIRESTORE_EMULATOR_HOST": firestore.address}
    password = b"a long enough password\n"
    added = invoke("user", "add", "first-user", "--password-stdin", environ=environ, stdin=password)
    assert (added.exit_code, added.stdout) == (0, "Added first-user as viewer.\n")
    assert added.stderr == ("No admin is left, and the viewer creates one only when there are no users. Add one now.\n")
    admin = ["user", "add", "first-admin", "--role", "admin", "--password-stdin"]
    assert invoke(*admin, environ=environ, stdin=password).stderr == ""
    removed = invoke("user", "remove", "first-admin", environ=environ)
    assert removed.exit_code != 0, "the last admin stays"
    assert "first-admin" in invoke("user", "list", environ=environ).stdout
    firestore.close()


def test_stop_and_start_change_delivery(cloud: Cloud) -> None:
    try:
        stopped = invoke("stop", environ=cloud.environ)
        assert stopped.exit_code == 0, stopped.stderr
        assert stopped.stdout.startswith(f"{cloud['subscription']}: stopped since")
        assert "(command line)" in invoke("status", environ=cloud.environ).stdout
    finally:
        started = invoke("start", cloud["subscription"], environ=cloud.environ)
    assert started.exit_code == 0, started.stderr
    assert started.stdout.startswith(f"{cloud['subscription']}: receiving to http://")


def test_start_refuses_a_subscription_that_is_not_monitored(cloud: Cloud) -> None:
    assert "'not-monitored' is not monitored here" in refused("start", "not-monitored", **cloud.environ)
