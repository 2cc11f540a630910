"""Structured logs for Cloud Logging: the standard ``logging``, with one JSON object a line on standard output.

Severity, message and trace are special fields there (``cloud.google.com/logging/docs/structured-logging``); every other
key is searchable as ``jsonPayload.key``. The message is a sentence. Never log a payload, a token, a password or a
cookie.
"""

import contextlib
import json
import logging
import queue
import re
import sys
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Literal, TextIO

Severity = Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"]
_LEVELS: dict[Severity, int] = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "NOTICE": logging.INFO + 5,  # the standard module does not know this one
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}
_SEVERITIES = {level: severity for severity, level in _LEVELS.items()}
# traceparent: version-trace-span-flags (W3C Trace Context); Cloud Run sends it with every request, and its older form:
# X-Cloud-Trace-Context: trace/span;o=flags
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}|([0-9a-f]{32})/[0-9]{1,20}(?:;o=[0-9]+)?")


class CloudLoggingFormatter(logging.Formatter):
    """Formats a record as the JSON that Cloud Logging reads; ``project`` makes the full name of a trace."""

    def __init__(self, project: str = "") -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without its end. The record has ``fields`` and ``traceparent`` (see ``Logger.log``)."""
        event: dict[str, object] = {
            "severity": _SEVERITIES[record.levelno],
            "message": record.msg,  # no arguments: a percent sign stays one
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            **record.__dict__["fields"],
        }
        if trace := self._trace(record.__dict__["traceparent"]):
            event["logging.googleapis.com/trace"] = trace
        # ASCII escapes keep one event on one line, for any characters of a publisher.
        return json.dumps(event, ensure_ascii=True, default=str)

    def _trace(self, traceparent: str | None) -> str | None:
        match = _TRACE.fullmatch(traceparent or "")
        if not match or not self._project:
            return None
        return f"projects/{self._project}/traces/{match.group(1) or match.group(2)}"


class LineHandler(logging.Handler):
    """Writes each record as one line to ``stream`` (None: the current standard output) and flushes it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or lose it if the stream is full (OSError) or closed (ValueError)."""
        line = self.format(record) + "\n"
        # Losing a log line is better than losing a message.
        with contextlib.suppress(OSError, ValueError):
            stream = self._stream or sys.stdout
            stream.write(line)
            stream.flush()


class _UnlockedLineHandler(LineHandler):
    """A LineHandler for a single thread."""

    def createLock(self) -> None:
        """Make no lock: ``logging`` takes every handler's lock when the process ends, and a write may hang then."""
        self.lock = None


class BackgroundHandler(QueueHandler):
    """Formats a record and hands the line to a thread that writes it.

    A reader of standard output that stalls costs log lines, never an event loop's time: beyond ``max_lines`` waiting
    lines, new ones are dropped. The thread starts with the first line, so the handler may be made before a fork.
    """

    def __init__(self, stream: TextIO | None = None, max_lines: int = 1000) -> None:
        lines: queue.Queue[object] = queue.Queue(max_lines)
        super().__init__(lines)
        self._writer = QueueListener(lines, _UnlockedLineHandler(stream))
        self._started = False

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue one line; drop it if the queue is full. The caller holds this handler's lock."""
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)
        if not self._started:
            self._started = True
            self._writer.start()


class Logger:
    """Typed front of a standard logger, which has one handler and no parent.

    Each event has a severity, a sentence, and any further fields. Events below ``level`` are dropped. Lines go to
    ``stream`` (None: standard output), or to ``handler`` instead.
    """

    def __init__(
        self,
        level: Severity = "INFO",
        project: str = "",
        stream: TextIO | None = None,
        *,
        handler: logging.Handler | None = None,
    ) -> None:
        self._logger = logging.Logger("subscope", _LEVELS[level])
        handler = handler or LineHandler(stream)
        handler.setFormatter(CloudLoggingFormatter(project))
        self._logger.addHandler(handler)

    def log(self, severity: Severity, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        """Log one event. ``traceparent`` is a request's trace header, in either form; it links the event to its trace.

        A stream that is full or closed never fails the caller.
        """
        self._logger.log(_LEVELS[severity], message, extra={"fields": fields, "traceparent": traceparent})

    def info(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("INFO", message, traceparent=traceparent, **fields)

    def warning(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("WARNING", message, traceparent=traceparent, **fields)

    def error(self, message: str, *, traceparent: str | None = None, **fields: object) -> None:
        self.log("ERROR", message, traceparent=traceparent, **fields)
