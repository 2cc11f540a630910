"""One JSON line per event on standard output, in the form Cloud Logging reads.

Severity, message and trace are special fields there (``cloud.google.com/logging/docs/structured-logging``); every other
key is searchable as ``jsonPayload.key``. Never log a payload, a token, a password or a cookie.
"""

import contextlib
import json
import queue
import re
import sys
import threading
from datetime import UTC, datetime
from typing import Literal, Protocol, TextIO

Severity = Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]
_ORDER: tuple[Severity, ...] = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")
# traceparent: version-trace-span-flags (W3C Trace Context); Cloud Run sends it with every request, and its older form:
# X-Cloud-Trace-Context: trace/span;o=flags
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}|([0-9a-f]{32})/[0-9]{1,20}(?:;o=[0-9]+)?")


class Sink(Protocol):
    """Where lines go."""

    def write(self, line: str, /) -> object: ...

    def flush(self) -> object: ...


class BackgroundSink:
    """Lines written by a thread of its own: a reader that stalls costs log lines, never an event loop's time.

    The thread starts with the first line, so it may be made before a fork.
    """

    def __init__(self, stream: TextIO | None = None, max_lines: int = 1000) -> None:
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue(max_lines)
        self._thread: threading.Thread | None = None

    def write(self, line: str, /) -> None:
        """Take one line, or drop it when too many wait."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Nothing: the thread flushes."""

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            # A sink that is closed or full loses the line; the next may fare better.
            with contextlib.suppress(OSError, ValueError):
                stream = self._stream or sys.stdout
                stream.write(line)
                stream.flush()


class Logger:
    """Writes events of at least ``level`` to ``stream`` (standard output when None)."""

    def __init__(self, level: Severity = "INFO", project: str = "", stream: Sink | None = None) -> None:
        self._least = _ORDER.index(level)
        self._project = project
        self._stream = stream
        self._lock = threading.Lock()

    def log(self, severity: Severity, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        """Write one event; a sink that is closed or full never fails the caller."""
        if _ORDER.index(severity) < self._least:
            return
        event: dict[str, object] = {"severity": severity, "message": message, "time": datetime.now(UTC).isoformat()}
        event.update(fields)
        if trace := self._trace(traceparent):
            event["logging.googleapis.com/trace"] = trace
        # ASCII escapes keep one event on one line whatever characters a publisher chose.
        line = json.dumps(event, ensure_ascii=True, default=str) + "\n"
        try:
            with self._lock:
                stream = self._stream or sys.stdout
                stream.write(line)
                stream.flush()
        except (OSError, ValueError):
            # ValueError: the stream was closed. Losing a log line is better than losing a message.
            return

    def _trace(self, traceparent: str | None) -> str | None:
        found = _TRACE.fullmatch(traceparent or "")
        return (
            f"projects/{self._project}/traces/{found.group(1) or found.group(2)}" if found and self._project else None
        )

    def info(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("INFO", message, traceparent=traceparent, **fields)

    def warning(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("WARNING", message, traceparent=traceparent, **fields)

    def error(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("ERROR", message, traceparent=traceparent, **fields)
