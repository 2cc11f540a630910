"""Copy the output of a child process: each line to its log file, warnings and errors in short form to the terminal."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

_LOUD = frozenset({"WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
# gunicorn: "[2026-01-02 03:04:05 +0000] [7] [ERROR] text"; Java: "WARNING: text".
_PLAIN = re.compile(r"(?:\[(?:WARNING|ERROR|CRITICAL)\]|^(?:WARNING|SEVERE):) (.*)")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit)(?:: (.*))?")
REPEAT_SECONDS = 10.0
MAX_ECHO = 300


class ChildOutput:
    """``echo`` gets one short line for each warning or error, and a repeated line at most every ten seconds.

    While ``muted`` it gets none. ``reason`` is the line that best explains the end of the program.
    """

    def __init__(self, log: Path, echo: Callable[[str], None]) -> None:
        self.reason = ""
        self.muted = True
        self._rank = 0
        self._log = log
        self._echo = echo
        self._echoed: dict[str, float] = {}

    def unmute(self) -> None:
        """Start to echo."""
        self.muted = False

    async def copy(self, stream: asyncio.StreamReader | None) -> None:
        """Read until the stream ends."""
        assert stream is not None
        with self._log.open("ab", buffering=0) as log:
            while True:
                try:
                    line = await stream.readline()
                except ValueError:  # longer than the reader's limit
                    continue
                if not line:
                    return
                log.write(line)
                self._notice(line.decode(errors="replace").strip())

    def _notice(self, line: str) -> None:
        if not line:
            return
        text = loud(line)
        # gunicorn ends with "Worker failed to boot"; an earlier line of the program explains more.
        rank = 2 if text and (line[0] == "{" or _EXCEPTION.fullmatch(line)) else int(bool(text))
        if rank >= self._rank:
            self.reason, self._rank = text or line[:MAX_ECHO], rank
        now = time.monotonic()
        if text and not self.muted and now - self._echoed.get(text, -REPEAT_SECONDS) >= REPEAT_SECONDS:
            self._echoed = {**self._echoed, text: now} if len(self._echoed) < 100 else {text: now}
            self._echo(text)


def loud(line: str) -> str:
    """Return the short form of a warning or error, or ""."""
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            return ""
        if event.get("severity") in _LOUD:
            return f"{event['severity']} {event.get('message', '')}"[:MAX_ECHO]
        return ""
    if found := _PLAIN.search(line):
        return found.group(1)[:MAX_ECHO]
    if found := _EXCEPTION.fullmatch(line):
        # The text of our errors is a sentence; for other errors the class name explains more.
        return (found[1] if line.startswith("infra.errors.") and found[1] else line)[:MAX_ECHO]
    return ""
