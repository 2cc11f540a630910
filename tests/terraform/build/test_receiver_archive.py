"""What becomes the function: its files and no others, and it runs from them with requirements.txt alone."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.ports import answers
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import claims, push_body
from tests.support.terraform.runner import ROOT, imported_from, install
from tests.support.waiting import wait_until

NEVER = ("infra/local/", "infra/cli/", "infra/__main__.py", "web/", "tests/", "terraform/")


def archive(plan: dict[str, Any]) -> bytes:
    """The zip that terraform uploads: of the files and contents that the plan read."""
    (found,) = [
        one for one in plan["prior_state"]["values"]["root_module"]["resources"] if one["type"] == "archive_file"
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for one in found["values"]["source"]:
            target.writestr(one["filename"], one["content"])
    return packed.getvalue()


def names(packed: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        return set(found.namelist())


def test_it_holds_the_receiver_and_nothing_else(plan: dict[str, Any]) -> None:
    found = names(archive(plan))
    assert {name for name in found if "/" not in name} == {"main.py", "requirements.txt"}
    assert {name.partition("/")[0] for name in found if "/" in name} == {"functions", "infra"}
    assert not [name for name in found if name.startswith(NEVER) or not name.endswith((".py", ".txt"))]


def test_it_holds_every_module_that_main_reaches(plan: dict[str, Any]) -> None:
    missing = imported_from("main.py") - names(archive(plan))
    assert not missing, "imported and not packed"


def test_gcloud_uploads_the_same_files(plan: dict[str, Any]) -> None:
    if not shutil.which("gcloud"):
        pytest.skip("gcloud is not installed here")
    command = ["gcloud", "meta", "list-files-for-upload", str(ROOT)]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert set(listed) == names(archive(plan))


@contextlib.contextmanager
def served(receiver: ReceiverProcess) -> Iterator[None]:
    """Serve it as the function's buildpack does, by the packages of the unpacked archive's own environment."""
    command = ["venv/bin/functions-framework", "--target=receive", "--host=127.0.0.1", f"--port={receiver.port}"]
    with receiver.log_file.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=receiver.directory, env=receiver.environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until(lambda: process.poll() is not None or answers(receiver.port), "the receiver's start", 60)
        assert process.poll() is None, receiver.log_file.read_text()[-2000:]
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        receiver.close()


def unpack(packed: bytes, directory: Path) -> None:
    """Unpack the archive and install its requirements, and nothing else, in a virtual environment beside it."""
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        found.extractall(directory)
    install(directory / "requirements.txt", directory / "venv")


@pytest.mark.slow
def test_it_answers_a_signed_push_with_requirements_txt_alone(plan: dict[str, Any], tmp_path: Path) -> None:
    unpack(archive(plan), tmp_path)
    with contextlib.ExitStack() as stack:
        keys = KeyServer(Signer())
        stack.callback(keys.close)
        firestore = stack.enter_context(local_firestore())
        reader = Reader(firestore)
        stack.callback(reader.close)
        receiver = ReceiverProcess(firestore, keys.url, directory=tmp_path)
        stack.enter_context(served(receiver))
        body = push_body("7", b"from the archive")
        assert receiver.push(body, "no.real.token").status == 401
        answer = receiver.push(body, keys.signer.sign(claims()))
        assert answer.status == 204, f"{answer.text}\n{receiver.log_file.read_text()[-2000:]}"
        assert reader.messages()["7"]["data"] == b"from the archive"
