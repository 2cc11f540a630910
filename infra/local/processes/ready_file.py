"""The ready file: the addresses of the running local cloud for other programs. It holds secrets: mode 0600.

The running local cloud holds a lock on the lock file beside it. The system releases the lock of a killed process, so a
ready file without a locked lock file is stale.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


class TakenError(Exception):
    """Another local cloud writes this ready file."""


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Lock the ready file and its folder's logs. Raises TakenError while another local cloud holds the lock."""
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise TakenError(
                f"Another local cloud uses {path}. Stop it, or choose another file with --ready-file."
            ) from exc
        yield


def write(path: Path, content: Mapping[str, object]) -> None:
    """Replace the file atomically, so that a reader never sees half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    part.replace(path)
