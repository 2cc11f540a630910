"""Summarise well-known messages in one line. To add a kind, write a recogniser and put it into ``RECOGNISERS``. Pure.

A recogniser gets the attributes and a small payload, and returns a line, or None for a message that it does not know.
It runs for every row, so it checks something cheap first, an attribute or a word in the payload, and parses only then.
It must not raise for any payload: ``text_at`` returns "" for every unexpected value.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property

from infra.messages.json_scalars import BYTE_ORDER_MARK
from infra.messages.message import Message
from web.formats import short, size_text, span_text

MAX_CHARACTERS = 200
# Parsing a payload of this size takes at most 160 µs.
PARSED_BYTES = 8 * 1024
_PART_CHARACTERS = 64
_DECODER = json.JSONDecoder(parse_float=str)  # twice as fast as parsing floats, and keeps the text as sent


class Facts:
    """The input of a recogniser. ``data`` is the payload, empty when it is over 8 KiB."""

    def __init__(self, attributes: Mapping[str, str], data: bytes) -> None:
        self.attributes = dict(attributes)
        self.data = data if len(data) <= PARSED_BYTES else b""

    @cached_property
    def body(self) -> dict[str, object]:
        """The payload as a JSON object; empty for any other payload."""
        try:
            text = self.data.decode().removeprefix(BYTE_ORDER_MARK)
            parsed = _DECODER.decode(text) if text.lstrip()[:1] == "{" else {}
        except (ValueError, RecursionError):
            return {}
        return parsed if isinstance(parsed, dict) else {}


Recogniser = Callable[[Facts], str | None]


def summarise(message: Message) -> str:
    """Return one line about a message; empty when no recogniser knows it."""
    facts = Facts(message.attributes, message.data or b"")
    summary = next(filter(None, (recognise(facts) for recognise in RECOGNISERS)), "")
    return short(summary, MAX_CHARACTERS)


def text_at(value: object, *path: str) -> str:
    """Return the text or number at ``path`` of nested objects, cut to 64 characters; empty when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return short(str(value), _PART_CHARACTERS)


def line(*parts: str) -> str:
    """Join the non-empty ``parts`` to one line."""
    return " · ".join(filter(None, parts))


def cloud_build(facts: Facts) -> str | None:
    """``Build SUCCESS · gateway · main · 2 min 10 s`` (cloud.google.com/build/docs/subscribe-build-notifications)."""
    attributes, build = facts.attributes, facts.body
    if "buildId" not in attributes or "status" not in attributes:
        return None
    values = build.get("substitutions")
    name = text_at(values, "REPO_NAME") or text_at(values, "TRIGGER_NAME") or text_at(attributes, "buildId")[:8]
    return line(
        f"Build {text_at(attributes, 'status')}",
        name,
        text_at(values, "BRANCH_NAME") or text_at(values, "TAG_NAME"),
        _span(text_at(build, "startTime"), text_at(build, "finishTime")),
        text_at(build, "failureInfo", "detail"),
    )


def cloud_storage(facts: Facts) -> str | None:
    """``Storage OBJECT_FINALIZE · photos/cat.png · 1.2 MB`` (cloud.google.com/storage/docs/pubsub-notifications)."""
    attributes = facts.attributes
    if not {"eventType", "bucketId", "objectId"} <= attributes.keys():
        return None
    size = text_at(facts.body, "size")
    return line(
        f"Storage {text_at(attributes, 'eventType')}",
        f"{text_at(attributes, 'bucketId')}/{text_at(attributes, 'objectId')}",
        size_text(int(size)) if _is_number(size) else "",
        "replaced an earlier one" if "overwroteGeneration" in attributes else "",
        "replaced by a later one" if "overwrittenByGeneration" in attributes else "",
    )


def audit_log(facts: Facts) -> str | None:
    """``Audit iam CreateServiceAccount · projects/p · by admin@example.com`` (cloud.google.com/logging/docs/audit)."""
    if b'"protoPayload"' not in facts.data:
        return None
    entry = facts.body.get("protoPayload")
    method, service = text_at(entry, "methodName"), text_at(entry, "serviceName").removesuffix(".googleapis.com")
    if not method:
        return None
    who = text_at(entry, "authenticationInfo", "principalEmail")
    code, why = text_at(entry, "status", "code"), text_at(entry, "status", "message")
    return line(
        # "google.iam.admin.v1.CreateServiceAccount" repeats the service; "storage.objects.get" is short.
        f"Audit {service} {method.rpartition('.')[2]}" if method.startswith("google.") else f"Audit {method}",
        text_at(entry, "resourceName"),
        f"by {who}" if who else "",
        f"failed: {why or code}" if code not in ("", "0") else "",
    )


def monitoring_alert(facts: Facts) -> str | None:
    """``Alert closed · Slow · p99 over 1 s · 5 min 3 s`` (cloud.google.com/monitoring/support/notification-options)."""
    if b'"incident"' not in facts.data:
        return None
    incident = facts.body.get("incident")
    state, policy = text_at(incident, "state"), text_at(incident, "policy_name")
    if not state or not policy:
        return None
    started, ended = text_at(incident, "started_at"), text_at(incident, "ended_at")
    return line(
        f"Alert {state}",
        policy,
        text_at(incident, "condition_name"),
        text_at(incident, "resource_display_name") or text_at(incident, "resource_name"),
        span_text(int(ended) - int(started)) if _is_number(started) and _is_number(ended) else "",
    )


def cloud_event(facts: Facts) -> str | None:
    """``Event com.example.created · /orders · 42``: attributes ``ce-*``, or a JSON envelope (cloudevents.io)."""
    prefix, event = "ce-", dict[str, object](facts.attributes)
    if "ce-type" not in event:
        if b'"specversion"' not in facts.data:
            return None
        prefix, event = "", facts.body
    kind, source = text_at(event, prefix + "type"), text_at(event, prefix + "source")
    if not kind or not source or not text_at(event, prefix + "specversion"):
        return None
    return line(f"Event {kind}", source, text_at(event, prefix + "subject"))


# The first recogniser that knows a message writes its summary.
RECOGNISERS: tuple[Recogniser, ...] = (cloud_build, cloud_storage, audit_log, monitoring_alert, cloud_event)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _span(start: str, end: str) -> str:
    try:
        return span_text((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # not a time; only one of them has a zone; the year 1
        return ""
