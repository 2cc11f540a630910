"""``tail``: control characters, a closed pipe, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.firestore.encoding import Plain
from tests.support.browser.writing import writer_at
from tests.support.commands import invoke
from tests.support.local_cloud import ROOT, Cloud
from tests.support.measuring import measuring_environ

HOSTILE = "1\x1b]0;owned\x07\x9b2J\u202e\n"


@contextmanager
def tail(cloud: Cloud, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Follow messages; killed at the end of the block."""
    environ = {"PATH": os.environ["PATH"], **measuring_environ(), **cloud.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "infra", "tail", "-n", "1", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_part_of_a_message_reaches_the_terminal_as_a_control(cloud: Cloud, options: tuple[str, ...]) -> None:
    attributes = {HOSTILE: HOSTILE, "kind": "terminal"}
    with writer_at(cloud) as writer:
        writer.named(
            cloud["subscription"],
            HOSTILE,
            attributes=attributes,
            preview=HOSTILE,
            ordering_key=HOSTILE,
            tokens=["kind=terminal"],
        )
    done = invoke("tail", "-n", "1", "--filter", "kind=terminal", "--no-follow", *options, environ=cloud.environ)
    assert (done.exit_code, done.stderr) == (0, "")
    out = done.stdout
    assert out.endswith("\n")
    assert out[:-1].isprintable()
    if options:
        shown = json.loads(out)
        assert (shown["message_id"], shown["attributes"]) == (HOSTILE, attributes)
    else:
        assert out.count("\\u001b]0;owned") == 4


def test_interrupt_ends_without_a_word(cloud: Cloud) -> None:
    with writer_at(cloud) as writer:
        writer.message(attributes={"kind": "interrupted"}, tokens=["kind=interrupted"])
    with tail(cloud, "--filter", "kind=interrupted") as process:
        assert first_line(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")


def test_reader_that_leaves_ends_it_without_an_error(cloud: Cloud) -> None:
    fields: dict[str, Plain] = {"attributes": {"kind": "left"}, "tokens": ["kind=left"]}
    with writer_at(cloud) as writer, tail(cloud, "--filter", "kind=left") as process:
        writer.message(**fields)
        assert first_line(process)
        assert process.stdout is not None
        process.stdout.close()
        writer.message(**fields)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(20) == 0
