"""The commands, run as a person runs them: real processes against the local cloud."""

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
from test_utils.retry import RetryResult

from infra.accounts.user_store import UserStore
from infra.firestore.encoding import Plain
from infra.settings import ConsoleSettings
from tests.support.accounts import NAMES
from tests.support.browser.writing import writer_at
from tests.support.firestore.servers import local_firestore
from tests.support.local_cloud import Cloud, StartCloud
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
]


def run(*words: str, environ: dict[str, str] | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        [sys.executable, "-m", "infra", *words],
        input=stdin,
        capture_output=True,
        env={"PATH": os.environ["PATH"], **measuring_environ(), **(environ or {})},
        cwd=ROOT,
        timeout=60,
    )
    return subprocess.CompletedProcess(
        found.args, found.returncode, found.stdout.decode(), found.stderr.decode(errors="replace")
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    found = run(*words, "--help")
    assert found.returncode == 0
    assert found.stdout.startswith("Usage: python -m infra " + " ".join(words))


def test_documentation_lists_every_command() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    missing = [" ".join(words) for words in COMMANDS if words != ["user"] and f"| `{' '.join(words)}" not in page]
    assert not missing, f"docs/commands.md does not list {missing}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status"], "GOOGLE_CLOUD_PROJECT is not set"),
        (["--ready-file", "nowhere.json", "status"], "No local cloud is running"),
        (["publish"], "Missing argument 'TOPIC'"),
        (["user", "add", "ana", "--role", "king"], "'king' is not one of"),
        (["tail", "--filter", "a=b levl:high"], "at column 5, levl: is not known; known are after:, before:, has:,"),
        (["publish", "builds", "x", "-a", "nonsense"], "'nonsense' is not KEY=VALUE"),
    ],
    ids=["no settings", "no local cloud", "no topic", "no such role", "no filter", "no attribute"],
)
def test_a_wrong_command_is_one_clear_line_and_exit_code_2(words: list[str], said: str) -> None:
    found = run(*words)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_without_a_terminal_a_password_is_not_asked_for(cloud: Cloud) -> None:
    found = run("user", "add", "ana", environ=cloud.environ)
    assert found.returncode == 2
    assert "use --password-stdin" in found.stderr


def test_a_local_cloud_that_was_killed_is_said_to_be_gone(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text('{"environment": {}}')
    ready_file.with_suffix(".lock").touch()
    found = run("--ready-file", str(ready_file), "status")
    assert found.returncode == 2
    assert f"The local cloud that wrote {ready_file} is gone" in found.stderr


def test_a_missing_topic_is_one_clear_line_and_exit_code_1(cloud: Cloud) -> None:
    found = run("publish", "no-such-topic", "x", environ=cloud.environ)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "no-such-topic" in found.stderr


def test_an_unreachable_cloud_is_one_clear_line_and_exit_code_1(cloud: Cloud) -> None:
    nobody = {**cloud.environ, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9", "PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}
    for words in (["user", "list"], ["publish", "builds", "x"]):
        found = run(*words, environ=nobody)
        assert found.returncode == 1
        assert found.stderr.startswith("Error: ")
        assert "Traceback" not in found.stderr


def test_published_messages_are_followed_by_tail(cloud: Cloud) -> None:
    mark = uuid4().hex
    publish = ["publish", cloud["topic"], '{"n": 1}', "-a", f"mark={mark}", "--ordering-key", "k"]
    assert run(*publish, environ=cloud.environ).returncode == 0
    wanted = ["-n", "1", "--json", "--filter", f"mark={mark} data.n=1 -kind:text"]
    with following(*wanted, environ=cloud.environ) as tail:
        first = json.loads(next(tail))
        other = ["publish", cloud["topic"], "not this", "-a", f"mark={mark}"]
        assert run(*other, environ=cloud.environ).returncode == 0
        found = run(*publish, "--count", "3", environ=cloud.environ)
        assert found.returncode == 0, found.stderr
        assert found.stdout.startswith("Published 3 messages")
        lines = [first, *(json.loads(next(tail)) for _ in range(3))]
    assert {(line["attributes"]["mark"], line["ordering_key"], line["preview"]) for line in lines} == {
        (mark, "k", '{"n": 1}')
    }
    assert len({line["message_id"] for line in lines}) == 4


@pytest.mark.parametrize("lines", [0, 2])
def test_tail_takes_nothing_for_new_that_was_there(cloud: Cloud, lines: int) -> None:
    mark = uuid4().hex
    marked: dict[str, Plain] = {"attributes": {"mark": mark}, "tokens": [f"mark={mark}"]}
    then = datetime.now(UTC) - timedelta(seconds=30)
    new: list[str] = []
    ended = threading.Event()

    def write() -> None:
        # It says nothing of when it began to look, so something new comes until it has seen that.
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
    found = run("tail", "--subscription", "bilds", environ=cloud.environ)
    assert found.returncode == 2
    assert f"'bilds' is not monitored here; SUBSCRIPTIONS names {cloud['subscription']}" in found.stderr


@contextmanager
def following(*words: str, environ: dict[str, str]) -> Iterator[Iterator[str]]:
    """The lines of ``tail`` as it prints them; none of them is waited for longer than 45 s."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra", "tail", *words],
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **measuring_environ(), **environ},
        cwd=ROOT,
        text=True,
    ) as tail:
        patience = threading.Timer(45, tail.kill)  # ends the reading when nothing comes
        patience.start()
        try:
            assert tail.stdout is not None
            yield iter(tail.stdout)
        finally:
            patience.cancel()
            tail.terminate()


def test_tail_says_where_a_filter_is_wrong(cloud: Cloud) -> None:
    found = run("tail", "--filter", "ok kind:xml", environ=cloud.environ)
    assert found.returncode == 2
    assert found.stderr.endswith(
        "at column 9, a kind is one of json, text, binary, empty; found 'xml'.\n  ok kind:xml\n          ^\n"
    )


def test_a_file_and_standard_input_are_published_byte_for_byte(cloud: Cloud, tmp_path: Path) -> None:
    mark = uuid4().hex
    payload = bytes(range(256))
    (tmp_path / "payload").write_bytes(payload)
    attribute = ["-a", f"mark={mark}"]
    from_file = run("publish", cloud["topic"], "--file", str(tmp_path / "payload"), *attribute, environ=cloud.environ)
    assert from_file.returncode == 0, from_file.stderr
    assert run("publish", cloud["topic"], *attribute, environ=cloud.environ, stdin=payload).returncode == 0

    def stored() -> list[dict[str, object]]:
        found = run("tail", "--no-follow", "--json", "--filter", f"mark={mark}", environ=cloud.environ)
        return [json.loads(line) for line in found.stdout.splitlines()]

    def both_are_there(shown: list[dict[str, object]]) -> bool:
        return len(shown) == 2

    retry = RetryResult(both_are_there, max_tries=6, delay=0.2)  # type: ignore[no-untyped-call]
    shown = retry(stored)()
    assert [(one["kind"], one["size_bytes"]) for one in shown] == [("binary", 256)] * 2


def test_a_rate_is_kept(cloud: Cloud) -> None:
    began = time.monotonic()
    found = run("publish", cloud["topic"], "x", "--count", "20", "--rate", "10", environ=cloud.environ)
    assert found.returncode == 0, found.stderr
    assert time.monotonic() - began > 1.8


def test_users_are_managed(cloud: Cloud, settings: ConsoleSettings, users: UserStore) -> None:
    name = NAMES.create_prefix()
    password = b"a long enough password\n"
    added = run("user", "add", name, "--role", "operator", "--password-stdin", environ=cloud.environ, stdin=password)
    assert (added.returncode, added.stdout) == (0, f"Added {name} as operator.\n")
    assert f"{name:<32} operator" in run("user", "list", environ=cloud.environ).stdout
    assert users.authenticate(name, "a long enough password", address="").role == "operator"
    assert run("user", "role", name, "viewer", environ=cloud.environ).returncode == 0
    short = run("user", "password", name, "--password-stdin", environ=cloud.environ, stdin=b"short\n")
    assert short.returncode == 2
    assert short.stderr == "Error: password: has 5 characters; the minimum is 12.\n"
    assert run("user", "remove", name, environ=cloud.environ).returncode == 0
    again = run("user", "remove", name, environ=cloud.environ)
    assert (again.returncode, again.stderr) == (1, f"Error: There is no user {name}.\n")


def test_a_cloud_that_is_ready_has_its_admin_whoever_is_added_first(own_cloud: StartCloud) -> None:
    own = own_cloud()
    listed = run("user", "list", environ=own.environ).stdout
    assert re.search(r"^admin +admin ", listed, re.MULTILINE)
    assert run("user", "remove", "admin", environ=own.environ).returncode != 0, "the last admin stays"


def test_who_adds_the_first_user_is_told_that_nobody_is_an_admin(cloud: Cloud) -> None:
    with local_firestore() as address:
        environ = {**cloud.environ, "FIRESTORE_EMULATOR_HOST": address}
        added = run("user", "add", "vera", "--password-stdin", environ=environ, stdin=b"a long enough password\n")
    assert (added.returncode, added.stdout) == (0, "Added vera as viewer.\n")
    assert added.stderr == "Nobody is an admin: the viewer makes one only while there is no user at all. Add one.\n"


def test_delivery_is_stopped_and_started(cloud: Cloud) -> None:
    try:
        stopped = run("stop", environ=cloud.environ)
        assert stopped.returncode == 0, stopped.stderr
        assert stopped.stdout.startswith(f"{cloud['subscription']}: stopped since")
        assert "(command line)" in run("status", environ=cloud.environ).stdout
    finally:
        started = run("start", cloud["subscription"], environ=cloud.environ)
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith(f"{cloud['subscription']}: receiving to http://")


def test_another_subscription_is_refused_by_name(cloud: Cloud) -> None:
    found = run("start", "somebody-elses", environ=cloud.environ)
    assert found.returncode == 2
    assert "'somebody-elses' is not monitored here" in found.stderr
