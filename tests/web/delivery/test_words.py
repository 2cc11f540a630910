"""The words for delivery: one table for pages, the stream and the answers to buttons."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from infra.pubsub.delivery_state import Delivery, DeliveryState
from tests.support.firestore.settings import settings_for
from web.delivery.words import (
    STATES,
    attributes_of_test,
    event_json,
    filter_doubt,
    publish_command,
    shown_state,
    state_json,
    waiting_words,
)

SETTINGS = settings_for("127.0.0.1:9")
RUNNING = {
    "observed_running": True,
    "unreadable": "",
    "ended": "",
    "push_endpoint": SETTINGS.push_endpoint,
    "push_service_account": SETTINGS.push_service_account,
    "push_audience": SETTINGS.push_audience[0],
    "push_form": "",
}
RECEIVING = Delivery("builds", "receiving", topic="projects/p/topics/builds")
FILTERED = replace(RECEIVING, filter='attributes.region = "eu"')


def test_every_state_has_words() -> None:
    assert set(STATES) == {*get_args(DeliveryState), "elsewhere", "refused"}


@pytest.mark.parametrize(
    ("fields", "state", "can_start", "can_stop"),
    [
        (RUNNING, "receiving", False, True),
        ({**RUNNING, "observed_running": False}, "stopped", True, False),
        ({**RUNNING, "push_endpoint": "https://else.example"}, "elsewhere", True, True),
        ({**RUNNING, "push_form": "unwrapped"}, "refused", True, True),
        ({**RUNNING, "push_form": "v1beta1"}, "refused", True, True),
        ({**RUNNING, "push_service_account": "else@example.com"}, "refused", True, True),
        ({**RUNNING, "push_audience": "https://else.example"}, "refused", True, True),
        ({**RUNNING, "ended": "topic_deleted"}, "topic_deleted", False, True),
        ({**RUNNING, "ended": "topic_deleted", "observed_running": False}, "topic_deleted", False, False),
        ({**RUNNING, "ended": "detached"}, "detached", False, False),
        ({**RUNNING, "ended": "exported"}, "exported", False, False),
        ({**RUNNING, "ended": "resource_error"}, "resource_error", True, True),
        ({**RUNNING, "unreadable": "missing"}, "missing", False, False),
        ({**RUNNING, "unreadable": "denied", "ended": "detached"}, "denied", False, False),
        ({}, "stopped", True, False),
        ({"observed_running": [1], "unreadable": 7, "ended": {}, "changed_at": "x"}, "stopped", True, False),
    ],
)
def test_event_has_the_words_and_buttons_of_the_stored_state(
    fields: dict[str, Any], state: str, can_start: bool, can_stop: bool
) -> None:
    event = event_json(SETTINGS, "builds", fields)
    assert (event["state"], event["word"], event["change"]) == (state, STATES[state].word, STATES[state].change)
    assert (event["can_start"], event["can_stop"]) == (can_start, can_stop)
    assert event["is_readable"] == (state not in ("missing", "denied"))


def test_event_names_the_last_change() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event = event_json(SETTINGS, "builds", {**RUNNING, "changed_by": "op-1", "changed_at": at, "checked_at": at})
    times = dict.fromkeys(("changed_at", "checked_at"), "2026-01-02T03:04:05.000Z")
    assert event == {
        **state_json("receiving", is_pushing=True),
        "subscription": "builds",
        "changed_by": "op-1",
        **times,
    }


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (RECEIVING, "on its way"),
        (FILTERED, "on its way, if it passes the subscription's filter"),
        (replace(RECEIVING, state="stopped"), "STOPPED: it waits in Pub/Sub"),
        (replace(RECEIVING, ours=False), "SENT ELSEWHERE: it goes to another address"),
        (replace(RECEIVING, differences=("x",)), "REFUSED HERE: this monitor refuses it"),
        (replace(RECEIVING, state="detached"), "DETACHED: it does not arrive"),
        (replace(RECEIVING, state="missing"), "NOT FOUND: it does not arrive"),
        (replace(RECEIVING, state="unknown"), "UNKNOWN: its way is not known"),
    ],
)
def test_way_of_a_message_follows_from_the_state(delivery: Delivery, words: str) -> None:
    assert waiting_words(delivery) == words


def test_wrong_settings_are_shown_as_refused() -> None:
    assert shown_state(replace(RECEIVING, differences=("x",))) == "refused"
    assert shown_state(replace(RECEIVING, differences=("x",), ours=False)) == "elsewhere"


def test_filter_is_named_and_satisfied() -> None:
    assert filter_doubt(RECEIVING) == ""
    assert filter_doubt(FILTERED).endswith('drops messages that do not match it: attributes.region = "eu"')
    assert attributes_of_test(FILTERED) == {"subscope": "test", "region": "eu"}
    assert attributes_of_test(replace(FILTERED, filter="attributes.size > 3")) is None


@pytest.mark.parametrize(
    ("text", "is_local", "command"),
    [
        ("", True, ".venv/bin/python -m infra --local publish builds hello"),
        ("", False, "gcloud pubsub topics publish projects/p/topics/builds --message=hello"),
        (
            'attributes.a = "it\'s" AND NOT attributes:subscope',
            True,
            ".venv/bin/python -m infra --local publish -a 'a=it'\"'\"'s' builds hello",
        ),
        (
            'attributes.a = "1" AND attributes.b = "x, y" AND NOT attributes:subscope',
            False,
            "gcloud pubsub topics publish projects/p/topics/builds --message=hello '--attribute=^|^a=1|b=x, y'",
        ),
        ("unreadable", False, "gcloud pubsub topics publish projects/p/topics/builds --message=hello"),
    ],
)
def test_command_has_the_attributes_that_the_filter_requires(text: str, is_local: bool, command: str) -> None:
    assert publish_command(replace(RECEIVING, filter=text), is_local) == command
