"""Subscriptions from which no message can arrive, and filters, on all pages, in the API and in the command."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask
from google.pubsub_v1 import PushConfig, Subscription

from infra.pubsub.client import PubSub
from infra.settings import ViewerSettings, viewer_settings
from tests.support.local_cloud import Cloud
from tests.support.viewer.app import running
from tests.support.viewer.visitor import SCRIPT, Visitor, signed_in

ENDPOINT = "http://127.0.0.1:9/push"  # no server listens there
FILTER = 'attributes.region = "eu"'
KINDS = ("deleted", "detached", "unwrapped", "filtered", "doubtful")


class Subscriptions:
    """One subscription of each kind; all push to the viewer's receiver."""

    def __init__(self, cloud: Cloud) -> None:
        prefix = f"test-{uuid4().hex[:8]}"
        self.names = {kind: f"{prefix}-{kind}" for kind in KINDS}
        self.environ = {
            **cloud.environ,
            "SUBSCRIPTIONS": ",".join(self.names.values()),
            "PUSH_ENDPOINT": ENDPOINT,
            "LOG_LEVEL": "CRITICAL",
        }
        self.settings: ViewerSettings = viewer_settings(self.environ)
        self.pubsub = PubSub(self.settings)
        for kind in KINDS:
            self._make(kind)
        self.pubsub.publisher.delete_topic(topic=self.topic("deleted"))
        self.pubsub.publisher.create_topic(name=self.topic("deleted"))
        self.pubsub.publisher.detach_subscription(request={"subscription": self.path("detached")})

    def topic(self, kind: str) -> str:
        return f"projects/{self.settings.google_cloud_project}/topics/{self.names[kind]}"

    def path(self, kind: str) -> str:
        return self.settings.subscription_path(self.names[kind])

    def _make(self, kind: str) -> None:
        oidc = PushConfig.OidcToken(
            service_account_email=self.settings.push_service_account, audience=self.settings.push_audience[0]
        )
        push_config = PushConfig(push_endpoint=ENDPOINT, oidc_token=oidc)
        if kind == "unwrapped":
            push_config.no_wrapper = PushConfig.NoWrapper(write_metadata=True)
        own_filter = {"filtered": FILTER, "doubtful": f'{FILTER} AND attributes.goog = "x"'}.get(kind, "")
        self.pubsub.publisher.create_topic(name=self.topic(kind))
        self.pubsub.subscriber.create_subscription(
            request=Subscription(
                name=self.path(kind), topic=self.topic(kind), push_config=push_config, filter=own_filter
            )
        )


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> Iterator[Subscriptions]:
    subscriptions = Subscriptions(cloud)
    yield subscriptions
    subscriptions.pubsub.close()


@pytest.fixture(scope="module")
def viewer_app(made: Subscriptions) -> Iterator[Flask]:
    with running(made.settings) as app:
        yield app


@pytest.fixture(scope="module")
def operator(viewer_app: Flask) -> Visitor:
    return signed_in(viewer_app, "operator")


def strip_of(operator: Visitor, name: str) -> str:
    """Return the part of the list's strip about one subscription, as text with its tags."""
    page = operator.get("/messages").text
    (section,) = re.findall(rf'(?s)<section class="delivery" data-from="{name}".*?</section>', page)
    return html.unescape(section)


def steps_of(operator: Visitor, name: str) -> str:
    page = operator.get(f"/messages?subscription={name}").text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.split('class="first-steps"', 1)[1])).split())


@pytest.mark.parametrize(
    ("kind", "state", "word", "sentence"),
    [
        ("deleted", "topic_deleted", "TOPIC DELETED", "Its topic was deleted: no new message can arrive"),
        ("detached", "detached", "DETACHED", "It is detached from its topic: no message can arrive"),
    ],
)
def test_ended_delivery_is_shown_and_cannot_be_started(
    operator: Visitor, made: Subscriptions, kind: str, state: str, word: str, sentence: str
) -> None:
    name = made.names[kind]
    section = strip_of(operator, name)
    assert f'<strong class="state-word">{word}</strong>' in section
    assert sentence in section
    assert re.search(r'data-action="start" hidden', section)
    steps = steps_of(operator, name)
    assert sentence in steps
    assert "Send test message" not in steps
    assert "_deleted-topic_" not in steps
    found = {one["subscription"]: one for one in operator.get("/api/v1/subscriptions").get_json()["subscriptions"]}
    assert found[name]["state"] == state
    assert sentence in found[name]["warnings"][0]
    for action, refusal in (("start", "cannot be started"), ("test", "No test message can arrive")):
        answer = operator.post(f"/subscriptions/{name}/{action}", SCRIPT)
        assert answer.status_code == 409
        assert refusal in answer.get_json()["error"]["detail"]
        assert sentence in answer.get_json()["error"]["detail"]
    banner = {"deleted": f"The topic of {name} was deleted", "detached": f"{name} is detached from its topic"}[kind]
    assert banner in operator.get("/publish").text


def test_unwrapped_payload_is_a_difference_that_start_mends(operator: Visitor, made: Subscriptions) -> None:
    name = made.names["unwrapped"]
    section = strip_of(operator, name)
    assert '<strong class="state-word">REFUSED HERE</strong>' in section
    assert "the payload is unwrapped" in section
    assert not re.search(r'data-action="start" hidden', section)
    assert "It pushes to this monitor, which refuses what comes: the payload is unwrapped" in steps_of(operator, name)
    answer = operator.post(f"/subscriptions/{name}/start", SCRIPT).get_json()
    assert (answer["state"], answer["differences"]) == ("receiving", [])
    assert "no_wrapper" not in made.pubsub.subscriber.get_subscription(subscription=made.path("unwrapped")).push_config


def test_filter_is_named_and_the_test_message_passes_it(operator: Visitor, made: Subscriptions) -> None:
    name = made.names["filtered"]
    assert f"only <code>{FILTER}</code>" in strip_of(operator, name)
    steps = steps_of(operator, name)
    assert f"drops messages that do not match it: {FILTER}. The test message matches it." in steps
    assert "-a region=eu" in steps
    heard = f"{made.path('filtered')}-heard"
    made.pubsub.subscriber.create_subscription(name=heard, topic=made.topic("filtered"))
    answer = operator.post(f"/subscriptions/{name}/test")
    page = html.unescape(operator.get(answer.headers["Location"]).text)
    assert "on its way, if it passes the subscription's filter" in page
    assert f"The filter of {name} drops messages that do not match it: {FILTER}" in page
    (received,) = made.pubsub.subscriber.pull(
        subscription=heard, max_messages=1, timeout=5, retry=None
    ).received_messages
    assert dict(received.message.attributes) == {"subscope": "test", "region": "eu"}


def test_filter_that_may_drop_the_test_message_is_said_before(operator: Visitor, made: Subscriptions) -> None:
    assert "So Pub/Sub may drop the test message." in steps_of(operator, made.names["doubtful"])


def test_command_names_the_filter_and_the_end(made: Subscriptions) -> None:
    command = [sys.executable, "-m", "infra", "status"]
    result = subprocess.run(
        command, env={**os.environ, **made.environ}, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert f"{made.names['deleted']}: topic_deleted" in result.stdout
    assert f"  filter: {FILTER}\n" in result.stdout
    assert "It is detached from its topic" in result.stderr
