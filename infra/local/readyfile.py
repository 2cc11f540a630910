"""The ready file: tells other programs where the local cloud answers, while it does. It holds secrets: mode 0600."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, content: Mapping[str, object]) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    part.replace(path)
