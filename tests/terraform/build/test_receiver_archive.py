"""The function's archive: it contains exactly the receiver's files, and runs with requirements.txt alone."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import local_firestore
from tests.support.ports import answers
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import claims, push_body
from tests.support.terraform.runner import (
    PROJECT,
    ROOT,
    add_code,
    find_terraform,
    imported_from,
    install,
    read_data,
)
from tests.support.waiting import wait_until

NEVER = ("infra/local/", "infra/cli/", "infra/web_server/", "infra/__main__.py", "web/", "tests/", "terraform/")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the zip that terraform uploads, with the files and contents that the plan read."""
    terraform = find_terraform(tmp_path_factory.mktemp("terraform"))
    add_code(terraform)
    (packed_files,) = read_data(terraform.plan("code", f'project = "{PROJECT}"'), "archive_file")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for file in packed_files["values"]["source"]:
            target.writestr(file["filename"], file["content"])
    return packed.getvalue()


def names(packed: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archived:
        return set(archived.namelist())


def test_archive_has_only_the_receiver(archive: bytes) -> None:
    packed = names(archive)
    assert {name for name in packed if "/" not in name} == {"main.py", "requirements.txt"}
    assert {name.partition("/")[0] for name in packed if "/" in name} == {"functions", "infra"}
    assert not [name for name in packed if name.startswith(NEVER) or not name.endswith((".py", ".txt"))]


def test_archive_has_every_module_that_main_imports(archive: bytes) -> None:
    missing = imported_from("main.py") - names(archive)
    assert not missing, "imported and not packed"


def test_gcloud_uploads_the_files_of_the_archive(archive: bytes) -> None:
    if not shutil.which("gcloud"):
        pytest.skip("gcloud is not installed here")
    command = ["gcloud", "meta", "list-files-for-upload", str(ROOT)]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert set(listed) == names(archive)


@contextlib.contextmanager
def served(receiver: ReceiverProcess) -> Iterator[None]:
    """Serve the unpacked archive as the function's buildpack does, with the packages of its requirements."""
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
    """Unpack the archive and install exactly its requirements in a virtual environment beside it."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archived:
        archived.extractall(directory)
    install(directory / "requirements.txt", directory / "venv")


@pytest.mark.slow
def test_archive_answers_a_signed_push_with_its_requirements_alone(archive: bytes, tmp_path: Path) -> None:
    unpack(archive, tmp_path)
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
