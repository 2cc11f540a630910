"""``redrive`` publishes all dead letters again, unchanged, and acknowledges them."""

from uuid import uuid4

from google.pubsub_v1 import types

from infra.cli.redrive import requests_of
from tests.support.commands import invoke
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


def test_dead_letters_are_published_again_unchanged(cloud: Cloud) -> None:
    name = f"redrive-{uuid4().hex[:8]}"
    project = f"projects/{cloud['project']}"
    dead, again = f"{project}/topics/{name}-dead-letter", f"{project}/topics/{name}"
    waiting, seen = f"{project}/subscriptions/{name}-waiting", f"{project}/subscriptions/{name}-seen"
    for topic, subscription in ((dead, waiting), (again, seen)):
        cloud.publisher().create_topic(name=topic)
        cloud.subscriber().create_subscription(name=subscription, topic=topic)
    added = {"CloudPubSubDeadLetterSourceSubscription": "orders", "CloudPubSubDeadLetterSourceDeliveryCount": "50"}
    for number in range(120):
        cloud.publisher().publish(dead, b"%d" % number, kind="order", **added).result(timeout=10)

    done = invoke("redrive", f"{name}-waiting", name, environ=cloud.environ)
    assert (done.exit_code, done.stdout) == (0, "Sent 120 messages again.\n"), done.stderr

    received: set[bytes] = set()

    def all_seen() -> bool:
        pulled = cloud.subscriber().pull(subscription=seen, max_messages=500, timeout=5).received_messages
        assert all(dict(message.message.attributes) == {"kind": "order"} for message in pulled)
        received.update(message.message.data for message in pulled)
        return len(received) == 120

    wait_until(all_seen, "every dead letter's return")
    assert cloud.backlog(f"{name}-waiting")["messages"] == 0


def test_topic_of_another_project_is_given_by_its_full_name(cloud: Cloud) -> None:
    name = f"redrive-{uuid4().hex[:8]}"
    dead, again = f"projects/{cloud['project']}/topics/{name}", f"projects/elsewhere-{name}/topics/events"
    waiting, seen = (
        f"projects/{cloud['project']}/subscriptions/{name}",
        f"{again.partition('/topics')[0]}/subscriptions/seen",
    )
    for topic, subscription in ((dead, waiting), (again, seen)):
        cloud.publisher().create_topic(name=topic)
        cloud.subscriber().create_subscription(name=subscription, topic=topic)
    cloud.publisher().publish(dead, b"one").result(timeout=10)

    done = invoke("redrive", name, again, environ=cloud.environ)
    assert (done.exit_code, done.stdout) == (0, "Sent 1 message again.\n"), done.stderr
    (pulled,) = cloud.subscriber().pull(subscription=seen, max_messages=5, timeout=5).received_messages
    assert pulled.message.data == b"one"


def test_missing_subscription_is_one_sentence_and_exit_code_1(cloud: Cloud) -> None:
    done = invoke("redrive", "nothing-here", "nowhere", environ=cloud.environ)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "nothing-here" in done.stderr


def test_request_has_one_ordering_key_and_at_most_9_megabytes() -> None:
    def message_of(key: str, size: int = 1) -> types.ReceivedMessage:
        return types.ReceivedMessage(message=types.PubsubMessage(data=b"x" * size, ordering_key=key))

    mixed = [message_of("a"), message_of("a"), message_of("b"), message_of(""), message_of("a")]
    assert [len(some) for some in requests_of(mixed)] == [2, 1, 1, 1]
    assert [len(some) for some in requests_of([message_of("", 4_000_000)] * 5)] == [2, 2, 1]
    assert list(requests_of([])) == []
