"""Follow the journal file of the local cloud."""

import json
from pathlib import Path
from typing import Any


class JournalReader:
    """Reads the lines that were added since the last call; an unfinished line waits."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""

    def read(self) -> list[dict[str, Any]]:
        """Return the new events."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        self._file.close()
