"""The severity of a message, as Cloud Logging names it: read from the fields that state it, or from a known kind. Pure.

The highest severity that a message states or means counts, so that the order of its fields does not matter. A value
that has another meaning elsewhere counts as unknown; docs/severity.md says which.

To add a field, put its name and the words or numbers that it holds into ``_STATED``. To add a kind, write a rule, and
put it into ``_BY_ATTRIBUTE`` or ``_BY_SCALAR`` under a name that each such message has; put what the rule reads into
``ATTRIBUTE_SOURCES`` or ``PAYLOAD_SOURCES``, because masks hide a severity that a hidden field may state. A rule runs
for each message with that name: at most a microsecond in the receiver, and no error for any value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import msgspec

from infra.messages.json_scalars import BYTE_ORDER_MARK
from infra.messages.message import Message

Severity = Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]
LEVELS: tuple[Severity, ...] = get_args(Severity)
# Objects in a longer payload are not looked at: messages of known kinds are short, and parsing must stay cheap.
_PARSED_BYTES = 8 * 1024

_RANKS = {level: rank for rank, level in enumerate(LEVELS, 1)}


def _ranks(words: Mapping[Severity, str]) -> dict[str, int]:
    return {word: _RANKS[level] for level, text in words.items() for word in text.split()}


_WORDS = _ranks(
    {
        "DEBUG": "debug trace verbose dbg fine finer finest",
        "INFO": "info information informational",
        "NOTICE": "notice",
        "WARNING": "warning warn",
        "ERROR": "error err severe",
        "CRITICAL": "critical crit fatal panic dpanic",
        "ALERT": "alert",
        "EMERGENCY": "emergency emerg",
    }
)
# cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity; 0 is DEFAULT, which says nothing.
_CLOUD_LOGGING = {str(rank * 100): rank for rank in _RANKS.values()}
# getpino.io and Bunyan: trace, debug, info, warn, error, fatal.
_PINO = _ranks({"DEBUG": "10 20", "INFO": "30", "WARNING": "40", "ERROR": "50", "CRITICAL": "60"})
# docs.python.org/3/library/logging.html#logging-levels
_PYTHON = _ranks({"DEBUG": "10", "INFO": "20", "WARNING": "30", "ERROR": "40", "CRITICAL": "50"})
# RFC 5424, section 6.2.1: 0 is the most severe.
_SYSLOG = {str(len(LEVELS) - rank): rank for rank in _RANKS.values()}
# opentelemetry.io/docs/specs/otel/logs/data-model: four numbers each for trace, debug, info, warn, error, fatal.
_OPEN_TELEMETRY = _ranks(
    {
        "DEBUG": "1 2 3 4 5 6 7 8",
        "INFO": "9 10 11 12",
        "WARNING": "13 14 15 16",
        "ERROR": "17 18 19 20",
        "CRITICAL": "21 22 23 24",
    }
)


def _spelled(names: str, *tables: Mapping[str, int]) -> dict[str, dict[str, int]]:
    values = {value: rank for table in tables for value, rank in table.items()}
    return dict.fromkeys(names.split(), values)


# Attributes and top-level members that state a severity, and what their values mean.
_STATED: dict[str, dict[str, int]] = {
    **_spelled("severity Severity SEVERITY", _WORDS, _CLOUD_LOGGING),
    **_spelled("level Level LEVEL lvl", _WORDS, _PINO),
    **_spelled("log.level log_level log-level loglevel logLevel LogLevel LOG_LEVEL @l", _WORDS),
    **_spelled("level_name levelname levelName", _WORDS),
    **_spelled("severity_text severityText SeverityText", _WORDS),
    **_spelled("severity_number severityNumber SeverityNumber", _OPEN_TELEMETRY),
    **_spelled("levelno level_number", _PYTHON),
    **_spelled("PRIORITY syslog_severity log.syslog.severity.code", _SYSLOG),
}

# cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#status
_BUILD_STATES = _ranks(
    {
        "INFO": "PENDING QUEUED WORKING SUCCESS",
        "NOTICE": "CANCELLED",
        "ERROR": "FAILURE INTERNAL_ERROR TIMEOUT EXPIRED",
    }
)
# cloud.google.com/storage/docs/pubsub-notifications#events
_STORAGE_EVENTS = _ranks({"INFO": "OBJECT_FINALIZE OBJECT_METADATA_UPDATE", "NOTICE": "OBJECT_DELETE OBJECT_ARCHIVE"})
# cloud.google.com/eventarc/docs/reference/supported-events#cloud-storage
_EVENTS = {
    f"google.cloud.storage.object.v1.{word}": rank
    for word, rank in _ranks({"INFO": "finalized metadataUpdated", "NOTICE": "deleted archived"}).items()
}
# cloud.google.com/monitoring/support/notification-options#schema-pubsub
_INCIDENT_SEVERITIES = _ranks({"WARNING": "warning", "ERROR": "error", "CRITICAL": "critical"})


@dataclass(frozen=True, slots=True)
class _Payload:
    """A JSON object: its top-level scalars and its bytes."""

    scalars: Sequence[tuple[str, str]]
    data: bytes

    def member(self, name: str) -> object:
        """Return a member that is no scalar; None when there is none, or when the payload is long or no JSON."""
        if len(self.data) > _PARSED_BYTES or f'"{name}"'.encode() not in self.data:
            return None
        try:
            raw = _OBJECT.decode(self.data.removeprefix(BYTE_ORDER_MARK.encode())).get(name)
            return msgspec.json.decode(raw) if raw else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def _build(_: str, attributes: Mapping[str, str]) -> int:
    return _BUILD_STATES.get(attributes.get("status", ""), 0)


def _storage(_: str, attributes: Mapping[str, str]) -> int:
    return _STORAGE_EVENTS.get(attributes.get("eventType", ""), 0) if "bucketId" in attributes else 0


def _event(kind: str, _: Mapping[str, str]) -> int:
    return _EVENTS.get(kind, 0)


def _dead_letter(_: str, __: Mapping[str, str]) -> int:
    return _RANKS["ERROR"]


def _graylog(_: str, payload: _Payload) -> int:
    """Read the syslog level of a GELF message (go2docs.graylog.org, "GELF")."""
    return _SYSLOG.get(dict(payload.scalars).get("level", ""), 0)


def _log_entry(log: str, payload: _Payload) -> int:
    """Read the status of an audited call: any code but 0 is a failure (cloud.google.com/logging/docs/audit)."""
    if "cloudaudit.googleapis.com" not in log:
        return 0
    code = _at(_at(payload.member("protoPayload"), "status"), "code")
    return _RANKS["ERROR"] if isinstance(code, int) and code else 0


def _alert(_: str, payload: _Payload) -> int:
    incident = payload.member("incident")
    state, severity = _at(incident, "state"), _at(incident, "severity")
    if state == "closed":
        return _RANKS["NOTICE"]
    known = _INCIDENT_SEVERITIES.get(severity.lower(), 0) if isinstance(severity, str) else 0
    return known or _RANKS["ERROR"] if state == "open" else 0


def _read(values: Mapping[str, int], value: str, _: object) -> int:
    return values.get(value) or values.get(value.strip().lower(), 0)


def _at(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


_BY_STATED = {name: partial(_read, values) for name, values in _STATED.items()}
_BY_ATTRIBUTE: dict[str, Callable[[str, Mapping[str, str]], int]] = {
    **_BY_STATED,
    "buildId": _build,
    "objectId": _storage,
    "ce-type": _event,
    # cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts
    "CloudPubSubDeadLetterSourceSubscription": _dead_letter,
}
# By top-level scalars: the name of a log, the version of an alert's schema.
_BY_SCALAR: dict[str, Callable[[str, _Payload], int]] = {
    **_BY_STATED,
    "short_message": _graylog,
    "logName": _log_entry,
    "version": _alert,
}
ATTRIBUTE_SOURCES = frozenset({*_BY_ATTRIBUTE, "status", "eventType", "bucketId"})
PAYLOAD_SOURCES = frozenset(
    {
        *(f"data.{name}" for name in _BY_SCALAR),
        "data.protoPayload.status.code",
        "data.incident.state",
        "data.incident.severity",
    }
)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def severity_in(
    attributes: Mapping[str, str], scalars: Sequence[tuple[str, str]], data: bytes = b""
) -> Severity | Literal[""]:
    """Return the highest severity that a message states or means; empty when it is unknown.

    ``scalars`` are the top-level scalars of a JSON payload, and ``data`` is the payload; both may be empty.
    """
    rank = 0
    for name, value in attributes.items():
        if by_attribute := _BY_ATTRIBUTE.get(name):
            rank = max(rank, by_attribute(value, attributes))
    for name, value in scalars:
        if by_scalar := _BY_SCALAR.get(name):
            rank = max(rank, by_scalar(value, _Payload(scalars, data)))
    return LEVELS[rank - 1] if rank else ""


def severity_of(message: Message) -> Severity | Literal[""]:
    """Return the stored severity of a message, or the one that its other fields tell; empty when it is unknown.

    Messages stored by earlier versions have no severity. A mask removes it when hidden fields may have stated it.
    """
    if message.severity in _RANKS:
        return message.severity
    return severity_in(message.attributes, _scalars(message), message.data or b"")


def token_of(severity: str) -> tuple[str, ...]:
    """Return the index token of a severity: none when it is unknown."""
    return (f"severity={severity}",) if severity else ()


def level_of(text: str) -> Severity | None:
    """Return the level that a person names, in any case, ``warn`` and ``fatal`` included; None for other text."""
    rank = _WORDS.get(text.lower())
    return LEVELS[rank - 1] if rank else None


def _scalars(message: Message) -> Sequence[tuple[str, str]]:
    """Return the indexed top-level members: rows and filters ask for each message, and parsing costs up to 2 ms."""
    tokens = (token.removeprefix("data.") for token in message.tokens if token.startswith("data."))
    return [(name, value) for name, _, value in (token.partition("=") for token in tokens)]
