"""The journal of the local cloud: its lines, and the file that only its owner can read."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

from google.cloud.firestore_v1 import types
from google.pubsub_v1.types import PubsubMessage

from infra.local.journal import Journal, opened

SHA_OF_HI = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"


def lines(file: StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in file.getvalue().splitlines()]
    assert all(line.pop("at") > 1e9 for line in found)
    return found


def test_published_message_is_written_with_a_digest() -> None:
    file = StringIO()
    Journal(file).published("projects/p/topics/t", PubsubMessage.pb()(message_id="7", data=b"hi"))
    digest = {"bytes": 2, "sha256": SHA_OF_HI}
    assert lines(file) == [{"event": "published", "topic": "projects/p/topics/t", "message": "7", **digest}]


def test_document_is_written_without_long_texts() -> None:
    file = StringIO()
    document = types.Document.pb()()
    document.fields["chunks"].integer_value = 2
    document.fields["data"].bytes_value = b"hi"
    document.fields["message_id"].string_value = "7"
    document.fields["password_hash"].string_value = "x" * 65
    document.fields["attributes"].map_value.SetInParent()
    Journal(file).stored("messages/a", document, is_new=True)
    Journal(file).stored("messages/a", document, is_new=False)
    fields = {"chunks": 2, "data": {"bytes": 2, "sha256": SHA_OF_HI}, "message_id": "7"}
    written = lines(file)
    assert [line["event"] for line in written] == ["stored", "changed"]
    assert written[0] == {"event": "stored", "path": "messages/a", "fields": fields}


def test_journal_file_is_new_and_private(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("of an earlier run\n")
    with opened(path) as journal:
        journal.write("configured", push_endpoint="")
        [line] = path.read_text().splitlines()  # while it is open: a reader follows it
    assert json.loads(line)["event"] == "configured"
    assert path.stat().st_mode & 0o777 == 0o600


def test_journal_without_a_file_writes_nothing() -> None:
    with opened(None) as journal:
        journal.published("projects/p/topics/t", PubsubMessage.pb()(data=b"hi"))
