"""The journal of all that is published, pushed, acknowledged and stored, for checkers outside the services.

One line of JSON for each event, with ``at`` in seconds since 1970. Pub/Sub and Firestore run in one process and on one
thread, so the order of the lines is the order of the events.
"""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

# Longer texts are left out: a journal is for checks, and needs neither previews nor password hashes.
_MAX_TEXT = 64


class Journal:
    """Writes to ``file``; without one it does nothing."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file

    def write(self, event: str, **fields: object) -> None:
        """Write one event."""
        if self._file:
            line = {"at": round(time.time(), 6), "event": event, **fields}
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def published(self, topic: str, message: Any) -> None:
        """Write that a topic took a PubsubMessage."""
        if self._file:
            self.write("published", topic=topic, message=message.message_id, **_digest(message.data))

    def stored(self, path: str, document: Any, *, is_new: bool) -> None:
        """Write that a Document became visible, with its integers, short texts, and digests of its bytes."""
        if self._file:
            self.write("stored" if is_new else "changed", path=path, fields=dict(_shown(document.fields)))


def _shown(fields: Any) -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        kind = value.WhichOneof("value_type")
        if kind == "integer_value":
            yield name, value.integer_value
        elif kind == "string_value" and len(value.string_value) <= _MAX_TEXT:
            yield name, value.string_value
        elif kind == "bytes_value":
            yield name, _digest(value.bytes_value)


def _digest(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[Journal]:
    """Open a new journal, readable only by its owner; None gives one that writes nothing."""
    if path is None:
        yield Journal()
        return
    path.unlink(missing_ok=True)
    # Line by line: a reader follows the file while it grows.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", buffering=1) as file:
        yield Journal(file)
