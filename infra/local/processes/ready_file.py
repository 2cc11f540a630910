"""The ready file: tells other programs where the local cloud answers, while it does. It holds secrets: mode 0600.

Beside it stands a lock file. Whoever holds its lock is running; a killed process holds none, whatever it left behind.
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
    """Own the ready file and its folder's logs. Raises TakenError while another local cloud does."""
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise TakenError(
                f"A local cloud runs here already: it holds {path}. End it, or choose another file with --ready-file."
            ) from exc
        yield


def write(path: Path, content: Mapping[str, object]) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    part.replace(path)
