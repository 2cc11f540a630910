"""The words for the delivery of a subscription: its state, a change of it, and its filter. Pure.

They exist here only: pages, the stream and the answers to Start and Stop send them to the scripts.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.pubsub.delivery_state import Delivery, differences
from infra.pubsub.subscription_filter import attributes_that_pass
from infra.settings import ViewerSettings
from web.formats import iso

# The attribute marks the test message; the filter of a subscription may require others, or its absence.
TEST_ATTRIBUTES = {"subscope": "test"}


@dataclass(frozen=True, slots=True)
class StateWords:
    """``word`` is the state; ``change`` completes "admin … builds-monitor"; ``way`` tells where a message is."""

    word: str
    change: str
    way: str
    can_start: bool = False
    can_stop: bool = False


_NOWHERE = "it does not arrive"
STATES = {
    "receiving": StateWords("RECEIVING", "started delivery of", "on its way", can_stop=True),
    "refused": StateWords(
        "REFUSED HERE", "changed the push settings of", "this monitor refuses it", can_start=True, can_stop=True
    ),
    "elsewhere": StateWords(
        "SENT ELSEWHERE", "changed the push address of", "it goes to another address", can_start=True, can_stop=True
    ),
    "stopped": StateWords("STOPPED", "stopped delivery of", "it waits in Pub/Sub", can_start=True),
    "topic_deleted": StateWords("TOPIC DELETED", "deleted the topic of", _NOWHERE),
    "detached": StateWords("DETACHED", "detached the subscription", _NOWHERE),
    "exported": StateWords("EXPORTED", "changed the kind of the subscription", _NOWHERE),
    "resource_error": StateWords("PUB/SUB ERROR", "caused an error in", _NOWHERE, can_start=True, can_stop=True),
    "missing": StateWords("NOT FOUND", "deleted the subscription", _NOWHERE),
    "denied": StateWords("NO ACCESS", "removed the permission to read", "its way is not known"),
    "unknown": StateWords("UNKNOWN", "changed", "its way is not known", can_start=True, can_stop=True),
}
_UNREADABLE = ("missing", "denied", "unknown")


def state_of(delivery: Delivery) -> str:
    """Return the state for programs: a subscription that pushes to another address is not receiving here."""
    return "elsewhere" if delivery.state == "receiving" and not delivery.ours else delivery.state


def shown_state(delivery: Delivery) -> str:
    """Return the key of ``STATES``: the receiver refuses the pushes of wrong settings."""
    state = state_of(delivery)
    return "refused" if state == "receiving" and delivery.differences else state


def state_json(state: str, *, is_pushing: bool) -> dict[str, object]:
    """Return a state for the scripts, in words and with the buttons that make sense."""
    words = STATES[state]
    return {
        "state": state,
        "word": words.word,
        "change": words.change,
        "is_readable": state not in _UNREADABLE,
        "can_start": words.can_start,
        # After the deletion of its topic, the messages that wait are still pushed.
        "can_stop": words.can_stop or (state == "topic_deleted" and is_pushing),
    }


def event_json(settings: ViewerSettings, subscription: str, fields: Mapping[str, Any]) -> dict[str, object]:
    """Return the stream's ``delivery`` event for a document ``subscriptions/{id}``, which may hold anything."""
    is_running = fields.get("observed_running") is True
    return {
        **state_json(_stored_state(settings, fields), is_pushing=is_running),
        "subscription": subscription,
        "changed_by": _text(fields.get("changed_by")),
        "changed_at": _time(fields.get("changed_at")),
        "checked_at": _time(fields.get("checked_at")),
    }


def waiting_words(delivery: Delivery) -> str:
    """Return where a published message is that has not arrived."""
    state = shown_state(delivery)
    words = STATES[state]
    if state != "receiving":
        return f"{words.word}: {words.way}"
    return f"{words.way}, if it passes the subscription's filter" if delivery.filter else words.way


def filter_doubt(delivery: Delivery) -> str:
    """Return the doubt about a message although delivery works; "" without a filter."""
    if not delivery.filter:
        return ""
    return f"The filter of {delivery.subscription} drops messages that do not match it: {delivery.filter}"


def attributes_of_test(delivery: Delivery) -> dict[str, str] | None:
    """Return the attributes of a test message that passes the subscription's filter; None if none are known."""
    return attributes_that_pass(delivery.filter, TEST_ATTRIBUTES)


def publish_command(delivery: Delivery, is_local: bool) -> str:
    """Return the command that publishes a test message from a terminal."""
    needed = attributes_of_test(delivery) if delivery.filter else None
    attributes = [f"{name}={value}" for name, value in (needed or {}).items()]
    topic = delivery.topic.split("/")[-1] if is_local else delivery.topic
    if is_local:
        options = [word for attribute in attributes for word in ("-a", attribute)]
        words = [".venv/bin/python", "-m", "infra", "--local", "publish", *options, topic, "hello"]
    else:
        # A comma would divide two attributes (gcloud topic escaping).
        options = [f"--attribute=^|^{'|'.join(attributes)}"] if attributes else []
        words = ["gcloud", "pubsub", "topics", "publish", topic, "--message=hello", *options]
    return shlex.join(words)


def _stored_state(settings: ViewerSettings, fields: Mapping[str, Any]) -> str:
    for name in ("unreadable", "ended"):
        reason = fields.get(name)
        if isinstance(reason, str) and reason in STATES:
            return reason
    if fields.get("observed_running") is not True:
        return "stopped"
    if fields.get("push_endpoint") != settings.push_endpoint:
        return "elsewhere"
    wrong = differences(fields, settings.push_endpoint, settings.push_service_account, settings.push_audience)
    return "refused" if wrong else "receiving"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> str | None:
    return iso(value) if isinstance(value, datetime) else None
