"""Operators start and stop delivery on the local cloud; a form chooses neither endpoint nor audience."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask
from google.pubsub_v1 import PushConfig, SubscriberClient

from infra.pubsub.client import PubSub
from infra.pubsub.delivery_state import Delivery
from infra.settings import ViewerSettings, viewer_settings
from tests.support.local_cloud import Cloud
from tests.support.viewer.app import running
from tests.support.viewer.visitor import SCRIPT, Visitor, add_user, signed_in
from web.delivery.state_reader import StateReader


@pytest.fixture(scope="module")
def settings(cloud: Cloud) -> ViewerSettings:
    """Return the cloud's settings for a new subscription, with an endpoint where no server listens."""
    own = {"SUBSCRIPTIONS": f"test-{uuid4().hex[:8]}", "PUSH_ENDPOINT": "http://127.0.0.1:9/push"}
    return viewer_settings({**cloud.environ, **own, "LOG_LEVEL": "CRITICAL"})


@pytest.fixture(scope="module")
def subscriber(settings: ViewerSettings) -> Iterator[SubscriberClient]:
    pubsub = PubSub(settings)
    name = settings.subscriptions[0]
    topic = f"projects/{settings.google_cloud_project}/topics/{name}"
    pubsub.publisher.create_topic(name=topic)
    pubsub.subscriber.create_subscription(name=settings.subscription_path(name), topic=topic)
    yield pubsub.subscriber
    pubsub.publisher.delete_topic(topic=topic)
    pubsub.close()


@pytest.fixture(scope="module")
def app(settings: ViewerSettings, subscriber: SubscriberClient) -> Iterator[Flask]:
    with running(settings) as running_app:
        yield running_app


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return signed_in(app, "operator")


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return signed_in(app, "viewer")


@pytest.fixture(scope="module")
def path(settings: ViewerSettings) -> str:
    return f"/subscriptions/{settings.subscriptions[0]}"


def endpoint(settings: ViewerSettings, subscriber: SubscriberClient) -> str:
    name = settings.subscription_path(settings.subscriptions[0])
    push_endpoint: str = subscriber.get_subscription(subscription=name).push_config.push_endpoint
    return push_endpoint


def test_forms_start_and_stop_with_a_notice(
    operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient, path: str
) -> None:
    name = settings.subscriptions[0]
    answer = operator.post(f"{path}/start")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/messages?notice=started&about={name}")
    page = operator.get(answer.headers["Location"]).text
    assert f"Delivery of {name} is started, for everyone." in page
    assert '<strong class="state-word">RECEIVING</strong>' in page
    assert f"by {operator.name}\n" in page
    assert endpoint(settings, subscriber) == settings.push_endpoint
    answer = operator.post(f"{path}/stop", confirmed="yes")
    page = operator.get(answer.headers["Location"]).text
    assert f"Delivery of {name} is stopped, for everyone." in page
    assert '<strong class="state-word">STOPPED</strong>' in page
    assert endpoint(settings, subscriber) == ""


def test_script_gets_the_new_state(operator: Visitor, settings: ViewerSettings, path: str) -> None:
    answer = operator.post(f"{path}/start", SCRIPT)
    assert answer.status_code == 200
    assert answer.json is not None
    expected = {
        "subscription": settings.subscriptions[0],
        "state": "receiving",
        "observed_running": True,
        "changed_by": operator.name,
        "push_endpoint": settings.push_endpoint,
    }
    assert expected.items() <= answer.json.items()
    assert answer.json["warnings"], "Start did not warn of the missing dead-letter policy"


def test_form_chooses_neither_endpoint_nor_audience(
    operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient, path: str
) -> None:
    operator.post(f"{path}/start", push_endpoint="https://evil.example", audience="x", service_account="y@z")
    assert endpoint(settings, subscriber) == settings.push_endpoint


def test_viewer_sees_the_state_without_buttons(viewer: Visitor, operator: Visitor, path: str) -> None:
    assert "Stop delivery</button>" in operator.get("/messages").text
    page = viewer.get("/messages").text
    assert 'class="state-word"' in page
    assert "delivery</button>" not in page
    assert viewer.post(f"{path}/stop").status_code == 403


def test_unmonitored_subscription_cannot_be_switched(operator: Visitor, cloud: Cloud) -> None:
    for action in ("start", "stop"):
        assert operator.post(f"/subscriptions/{cloud['subscription']}/{action}", SCRIPT).status_code == 404


def test_foreign_endpoint_is_shown(operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient) -> None:
    subscriber.modify_push_config(
        subscription=settings.subscription_path(settings.subscriptions[0]),
        push_config=PushConfig(push_endpoint="http://127.0.0.1:9/other"),
    )
    page = operator.get("/messages").text
    assert '<strong class="state-word">SENT ELSEWHERE</strong>' in page
    assert "changed elsewhere" in page
    assert "Its push endpoint is not this monitor&#39;s" in page


@pytest.mark.parametrize("query", ["notice=started", "notice=started&about=<b>x</b>", "notice=<b>x</b>", "notice=", ""])
def test_notice_shows_no_text_of_the_address(operator: Visitor, query: str) -> None:
    assert "page-notice" not in operator.get(f"/messages?{query}").text


def test_page_does_not_wait_for_a_silent_pubsub(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        silent_settings = viewer_settings({**cloud.environ, "PUBSUB_EMULATOR_HOST": address, "LOG_LEVEL": "CRITICAL"})
        with running(silent_settings) as app:
            operator = Visitor(app, add_user(app, "silent", "operator"))
            began = time.monotonic()
            page = operator.get("/messages").text
            assert time.monotonic() - began < 5
            assert "UNKNOWN" in page
            assert "Pub/Sub does not answer now. Reload to try again." in page


def test_last_known_state_is_shown_with_a_warning_while_pubsub_is_silent() -> None:
    may_answer, requests = threading.Event(), list[str]()
    last = Delivery("builds", "receiving", checked_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), warnings=("other",))

    def observe(name: str) -> Delivery:
        requests.append(name)
        may_answer.wait(5)
        return replace(last, state="stopped")

    reader = StateReader(["builds"], observe, lambda _: last, wait_seconds=0.1)
    warning = "Pub/Sub does not answer now; this is the state of 03:04:05 UTC."
    assert reader.read_all() == reader.read_all() == [replace(last, warnings=(warning, "other"))]
    assert requests == ["builds"], "two pages sent two requests"
    may_answer.set()
    patient = StateReader(["builds"], observe, lambda _: last)
    assert patient.read_all() == [replace(last, state="stopped")]


def test_notice_that_contradicts_the_state_is_not_shown(operator: Visitor, settings: ViewerSettings, path: str) -> None:
    addresses = {
        notice: f"/messages?notice={notice}&about={settings.subscriptions[0]}" for notice in ("started", "stopped")
    }
    operator.post(f"{path}/start")
    assert "page-notice" in operator.get(addresses["started"]).text
    assert "page-notice" not in operator.get(addresses["stopped"]).text
    operator.post(f"{path}/stop", confirmed="yes")
    assert "page-notice" not in operator.get(addresses["started"]).text
    assert "page-notice" in operator.get(addresses["stopped"]).text


def test_deleted_subscription_is_shown(cloud: Cloud) -> None:
    gone_settings = viewer_settings({**cloud.environ, "SUBSCRIPTIONS": "gone-subscription", "LOG_LEVEL": "CRITICAL"})
    with running(gone_settings) as app:
        operator = signed_in(app, "operator")
        page = operator.get("/messages").text
        assert '<strong class="state-word">NOT FOUND</strong>' in page
        assert "delivery</button>" not in page
        answer = operator.post("/subscriptions/gone-subscription/start", SCRIPT)
        assert answer.status_code == 404
