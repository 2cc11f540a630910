"""Each end of a command is an exit code and at most one sentence."""

import json
import os
import pwd
import signal
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli.context import CommandContext
from infra.cli.program import main
from tests.support.local_cloud import ROOT
from tests.support.measuring import measuring_environ

NOT_UTF8 = os.fsdecode(b"Z\xfcrich")
PROJECT = {"GOOGLE_CLOUD_PROJECT": "p", "PUBSUB_EMULATOR_HOST": "127.0.0.1:9", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9"}
COMMAND = [sys.executable, "-m", "infra"]


def refused(*words: str, stdin: bytes = b"", **environ: str) -> str:
    """Run a command that refuses its arguments or settings; return its standard error."""
    result = CliRunner().invoke(main, words, input=stdin, env={**PROJECT, **environ}, prog_name="subscope")
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    return result.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["publish", "builds", "x", "-a", f"city={NOT_UTF8}"], "--attribute"),
        (["publish", "builds", "x", "-a", "a=b", "-a", f"{NOT_UTF8}=x"], "--attribute"),
        (["publish", "builds", "x", "--ordering-key", NOT_UTF8], "--ordering-key"),
        (["publish", NOT_UTF8, "x"], "TOPIC"),
        (["tail", "--filter", f"id:{NOT_UTF8}"], "--filter"),
        (["tail", "--filter", NOT_UTF8], "--filter"),
        (["tail", "--subscription", NOT_UTF8], "--subscription"),
        (["start", NOT_UTF8], "SUBSCRIPTION"),
        (["stop", NOT_UTF8], "SUBSCRIPTION"),
        (["redrive", NOT_UTF8, "builds"], "SUBSCRIPTION"),
        (["redrive", "builds", NOT_UTF8], "TOPIC"),
        (["user", "add", NOT_UTF8, "--password-stdin"], "NAME"),
        (["user", "role", NOT_UTF8, "viewer"], "NAME"),
        (["user", "password", NOT_UTF8, "--password-stdin"], "NAME"),
        (["user", "remove", NOT_UTF8], "NAME"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_argument_that_is_not_utf8_is_named(words: list[str], named: str) -> None:
    message = refused(*words)
    assert named in message
    assert "\\udcfcrich' is not UTF-8." in message or "\\udcfcrich=x' is not UTF-8." in message


def test_setting_that_is_not_utf8_is_refused() -> None:
    message = refused("publish", "builds", "x", GOOGLE_CLOUD_PROJECT=NOT_UTF8)
    assert "Z\\udcfcrich/topics/builds' is not UTF-8." in message


@pytest.mark.parametrize("rate", ["nan", "inf", "-inf", "0", "-1", "1e-300", "1e999"])
def test_rate_is_a_finite_number(rate: str) -> None:
    assert "--rate" in refused("publish", "builds", "x", "--count", "2", f"--rate={rate}")


@pytest.mark.parametrize("words", [["add", "new-user"], ["password", "new-user"]])
def test_password_that_is_not_utf8_is_refused(words: list[str]) -> None:
    message = refused("user", *words, "--password-stdin", stdin=b"pw\xfc5678901234\n")
    assert message == "Error: password: is not UTF-8 (byte 3).\n"


def test_easy_password_is_refused() -> None:
    assert "password: is easy to guess" in refused("user", "add", "ana", "--password-stdin", stdin=b"password1234\n")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("/proc/self/mem", "--file /proc/self/mem: cannot be read: Input/output error."),
        ("/dev/zero", "--file /dev/zero: has more than 10,000,000 bytes"),
    ],
)
def test_file_that_cannot_be_published_is_named(file: str, problem: str) -> None:
    assert problem in refused("publish", "builds", "--file", file)


def test_endless_standard_input_is_refused() -> None:
    assert "standard input: has more than 10,000,000 bytes" in refused("publish", "builds", stdin=b"x" * 10_000_001)


@pytest.mark.parametrize(
    "content",
    [
        '{"environment": ' + "[" * 100_000,
        '{"environment": {"A=B": "x"}}',
        '{"environment": {"A": "\\u0000"}}',
        '{"environment": {"A": "\\ud800"}}',
        "[]",
        "\\x",
    ],
    ids=["deep", "name", "NUL", "surrogate", "list", "text"],
)
def test_ready_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text(content)
    with ready_file.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        assert f"{ready_file} is not a local cloud's ready file" in refused("--ready-file", str(ready_file), "status")


def test_audit_names_the_account_and_not_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "another-name")
    assert CommandContext().who == f"{pwd.getpwuid(os.getuid()).pw_name} (command line)"


def environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **measuring_environ()}


def test_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ(), timeout=60
        )
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environ(), timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_standard_input_is_one_sentence() -> None:
    command = f"exec {sys.executable} -m infra publish builds <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, cwd=ROOT, env={**environ(), **PROJECT}, timeout=60
    )
    assert (done.returncode, done.stderr) == (2, "Error: standard input: is closed.\n")


def test_interrupt_during_the_imports_is_quiet() -> None:
    # The finder stands for a user who presses Ctrl-C while a module is imported.
    program = f"""
import json, os, signal, sys, time
class Finder:
    def find_spec(self, name, *rest):
        if name == "infra.cli.tail":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
sys.meta_path.insert(0, Finder())
sys.argv = json.loads({json.dumps(json.dumps(["subscope", "tail"]))})
from infra.__main__ import run
run()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, env=environ(), timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
