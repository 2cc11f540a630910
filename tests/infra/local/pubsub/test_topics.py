"""Topics and publishing."""

import time
from typing import Any

import pytest
from google.api_core import exceptions

from tests.support.pubsub import PROJECT, Bench


def test_a_topic_can_be_read_back(bench: Bench) -> None:
    name = bench.topic()
    assert bench.publisher.get_topic(topic=name).name == name


def test_existing_topic_is_refused(bench: Bench) -> None:
    name = bench.topic()
    with pytest.raises(exceptions.AlreadyExists):
        bench.publisher.create_topic(name=name)


@pytest.mark.parametrize("wrong", ["ab", "1abc", "googled", "a b c", "x" * 256])
def test_a_wrong_topic_id_is_refused(bench: Bench, wrong: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        bench.publisher.create_topic(name=f"projects/{PROJECT}/topics/{wrong}")


def test_a_missing_topic_is_not_found(bench: Bench) -> None:
    missing = f"projects/{PROJECT}/topics/missing"
    with pytest.raises(exceptions.NotFound):
        bench.publisher.get_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        bench.publisher.delete_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        bench.publish(missing, {"data": b"x"})


def test_labels_can_be_updated(local: Bench) -> None:
    name = local.topic()
    update = {"topic": {"name": name, "labels": {"team": "blue"}}, "update_mask": {"paths": ["labels"]}}
    assert dict(local.publisher.update_topic(request=update).labels) == {"team": "blue"}
    assert dict(local.publisher.get_topic(topic=name).labels) == {"team": "blue"}


def test_list_has_pages(local: Bench) -> None:
    made = {local.topic() for _ in range(5)}
    request = {"project": f"projects/{PROJECT}", "page_size": 2}
    assert made <= {topic.name for topic in local.publisher.list_topics(request=request)}


def test_subscriptions_of_a_topic_are_listed(bench: Bench) -> None:
    topic = bench.topic()
    made = sorted(bench.subscription(topic) for _ in range(3))
    assert sorted(bench.publisher.list_topic_subscriptions(topic=topic)) == made


def test_a_deleted_topic_leaves_its_subscriptions_with_their_backlog(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"before"})
    bench.publisher.delete_topic(topic=topic)
    assert bench.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    assert bench.pull(subscription)[0].message.data == b"before"


def test_ids_are_unique_and_in_the_order_of_the_request(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    ids = bench.publish(topic, *({"data": b"%d" % number} for number in range(20)))
    assert len(set(ids)) == 20
    pulled = {one.message.message_id: one.message.data for one in bench.pull(subscription, 20)}
    assert [pulled[one] for one in ids] == [b"%d" % number for number in range(20)]


def test_every_subscription_gets_every_message(bench: Bench) -> None:
    topic = bench.topic()
    first, second = bench.subscription(topic), bench.subscription(topic)
    bench.publish(topic, {"data": b"x", "attributes": {"kind": "build"}})
    for subscription in (first, second):
        message: Any = bench.pull(subscription)[0].message
        assert (message.data, dict(message.attributes)) == (b"x", {"kind": "build"})
        assert abs(message.publish_time.timestamp() - time.time()) < 10


def test_the_batching_publisher_works(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    message_id = bench.publisher.publish(topic, b"batched", kind="x").result(10)
    assert bench.pull(subscription)[0].message.message_id == message_id


def test_an_empty_message_is_refused(bench: Bench) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        bench.publish(bench.topic(), {"data": b""})


def test_attributes_alone_are_a_message(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"attributes": {"k": ""}})
    assert bench.pull(subscription)[0].message.data == b""


# Google's emulator takes these; the service does not (cloud.google.com/pubsub/quotas#resource_limits).
@pytest.mark.parametrize(
    "message",
    [
        {"data": b"x" * 10_000_001},
        {"data": b"x", "attributes": {f"k{number}": "v" for number in range(101)}},
        {"data": b"x", "attributes": {"k" * 257: "v"}},
        {"data": b"x", "attributes": {"k": "ä" * 513}},
        {"data": b"x", "attributes": {"": "v"}},
        {"data": b"x", "attributes": {"google": "v"}},
        {"data": b"x", "ordering_key": "k" * 1025},
    ],
    ids=["data", "attributes", "key", "value", "empty-key", "goog", "ordering-key"],
)
def test_message_over_the_limits_is_refused(local: Bench, message: dict[str, object]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        local.publish(local.topic(), message)


def test_one_bad_message_refuses_the_whole_request(local: Bench) -> None:
    topic = local.topic()
    subscription = local.subscription(topic)
    with pytest.raises(exceptions.InvalidArgument):
        local.publish(topic, {"data": b"good"}, {"data": b""})
    assert not local.pull_now(subscription)


@pytest.mark.parametrize("count", [0, 1001])
def test_a_request_holds_one_to_a_thousand_messages(local: Bench, count: int) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        local.publish(local.topic(), *[{"data": b"x"}] * count)


def test_unsupported_feature_is_refused_by_name(local: Bench) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="does not implement ListTopicSnapshots"):
        local.publisher.list_topic_snapshots(request={"topic": local.topic()})
    schema = {"schema_settings": {"schema": "projects/p/schemas/sss"}}
    with pytest.raises(exceptions.MethodNotImplemented, match="schema_settings"):
        local.publisher.create_topic(request={"name": f"projects/{PROJECT}/topics/with-schema", **schema})
