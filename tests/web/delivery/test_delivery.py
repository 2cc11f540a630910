"""Start and Stop on the local cloud: for operators, told in words, with nothing taken from a form."""

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
from tests.support.viewer.visitor import SCRIPT, Visitor, add_user
from web.delivery.state_reader import StateReader


@pytest.fixture(scope="module")
def settings(cloud: Cloud) -> ViewerSettings:
    """The cloud's, for a subscription of these tests' own; nobody listens at the endpoint."""
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
    return Visitor(app, add_user(app, f"otto-{uuid4().hex[:8]}", "operator"))


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return Visitor(app, add_user(app, f"vera-{uuid4().hex[:8]}", "viewer"))


@pytest.fixture(scope="module")
def path(settings: ViewerSettings) -> str:
    return f"/subscriptions/{settings.subscriptions[0]}"


def endpoint(settings: ViewerSettings, subscriber: SubscriberClient) -> str:
    name = settings.subscription_path(settings.subscriptions[0])
    found: str = subscriber.get_subscription(subscription=name).push_config.push_endpoint
    return found


def test_forms_start_and_stop_and_say_so(
    operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient, path: str
) -> None:
    name = settings.subscriptions[0]
    answer = operator.post(f"{path}/start")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/messages?notice=started&about={name}")
    page = operator.get(answer.headers["Location"]).text
    assert f"Delivery of {name} is started, for everyone." in page
    assert '<strong class="state-word">RECEIVING</strong>' in page
    assert f"by {operator.name} " in page
    assert endpoint(settings, subscriber) == settings.push_endpoint
    answer = operator.post(f"{path}/stop", confirmed="yes")
    page = operator.get(answer.headers["Location"]).text
    assert f"Delivery of {name} is stopped, for everyone." in page
    assert '<strong class="state-word">STOPPED</strong>' in page
    assert endpoint(settings, subscriber) == ""


def test_scripts_get_the_state(operator: Visitor, settings: ViewerSettings, path: str) -> None:
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
    assert answer.json["warnings"], "it has no dead-letter policy, which Start says"


def test_a_form_chooses_neither_endpoint_nor_audience(
    operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient, path: str
) -> None:
    operator.post(f"{path}/start", push_endpoint="https://evil.example", audience="x", service_account="y@z")
    assert endpoint(settings, subscriber) == settings.push_endpoint


def test_viewers_see_the_state_and_no_switch(viewer: Visitor, operator: Visitor, path: str) -> None:
    assert "Stop delivery</button>" in operator.get("/messages").text
    page = viewer.get("/messages").text
    assert 'class="state-word"' in page
    assert "delivery</button>" not in page
    assert viewer.post(f"{path}/stop").status_code == 403


def test_another_subscription_cannot_be_switched(operator: Visitor, cloud: Cloud) -> None:
    for action in ("start", "stop"):
        assert operator.post(f"/subscriptions/{cloud['subscription']}/{action}", SCRIPT).status_code == 404


def test_an_endpoint_that_is_not_ours_is_told(
    operator: Visitor, settings: ViewerSettings, subscriber: SubscriberClient
) -> None:
    subscriber.modify_push_config(
        subscription=settings.subscription_path(settings.subscriptions[0]),
        push_config=PushConfig(push_endpoint="http://127.0.0.1:9/other"),
    )
    page = operator.get("/messages").text
    assert '<strong class="state-word">SENT ELSEWHERE</strong>' in page
    assert "changed elsewhere" in page
    assert "Its push endpoint is not this monitor&#39;s" in page


@pytest.mark.parametrize("query", ["notice=started", "notice=started&about=<b>x</b>", "notice=<b>x</b>", "notice=", ""])
def test_a_notice_says_nothing_that_an_address_wrote(operator: Visitor, query: str) -> None:
    assert "page-notice" not in operator.get(f"/messages?{query}").text


def test_a_page_does_not_wait_for_a_pubsub_that_never_answers(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        deaf_settings = viewer_settings({**cloud.environ, "PUBSUB_EMULATOR_HOST": address, "LOG_LEVEL": "CRITICAL"})
        with running(deaf_settings) as app:
            operator = Visitor(app, add_user(app, "deaf", "operator"))
            began = time.monotonic()
            page = operator.get("/messages").text
            assert time.monotonic() - began < 5
            assert "UNKNOWN" in page
            assert "Pub/Sub does not answer now. Reload to try again." in page


def test_what_was_seen_last_is_shown_as_such_while_nobody_answers() -> None:
    may_answer, asked = threading.Event(), list[str]()
    seen = Delivery("builds", "receiving", checked_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), warnings=("other",))

    def observe(name: str) -> Delivery:
        asked.append(name)
        may_answer.wait(5)
        return replace(seen, state="stopped")

    observer = StateReader(["builds"], observe, lambda _: seen, wait_seconds=0.1)
    said = "Pub/Sub does not answer now; this is the state of 03:04:05 UTC."
    assert observer.read_all() == observer.read_all() == [replace(seen, warnings=(said, "other"))]
    assert asked == ["builds"], "two pages ask once"
    may_answer.set()
    patient = StateReader(["builds"], observe, lambda _: seen)
    assert patient.read_all() == [replace(seen, state="stopped")]


def test_a_notice_that_is_not_true_any_more_is_not_shown(
    operator: Visitor, settings: ViewerSettings, path: str
) -> None:
    addresses = {one: f"/messages?notice={one}&about={settings.subscriptions[0]}" for one in ("started", "stopped")}
    operator.post(f"{path}/start")
    assert "page-notice" in operator.get(addresses["started"]).text
    assert "page-notice" not in operator.get(addresses["stopped"]).text
    operator.post(f"{path}/stop", confirmed="yes")
    assert "page-notice" not in operator.get(addresses["started"]).text
    assert "page-notice" in operator.get(addresses["stopped"]).text


def test_a_subscription_that_is_gone_is_told(cloud: Cloud) -> None:
    gone = viewer_settings({**cloud.environ, "SUBSCRIPTIONS": "gone-subscription", "LOG_LEVEL": "CRITICAL"})
    with running(gone) as app:
        operator = Visitor(app, add_user(app, f"otto-{uuid4().hex[:8]}", "operator"))
        page = operator.get("/messages").text
        assert '<strong class="state-word">NOT FOUND</strong>' in page
        assert "delivery</button>" not in page
        answer = operator.post("/subscriptions/gone-subscription/start", SCRIPT)
        assert answer.status_code == 404
