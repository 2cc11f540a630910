"""Pull, acknowledge and modify deadlines."""

import queue
import time

import pytest
from google.api_core import exceptions

from infra.local.pubsub import PubsubServer
from tests.support.pubsub import Bench
from tests.support.waiting import wait_until


def test_acknowledged_message_is_not_redelivered(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    bench.acknowledge(subscription, bench.pull(subscription))
    time.sleep(0.2)
    assert not bench.pull_now(subscription)


def test_message_is_held_until_its_deadline(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    bench.pull(subscription)
    assert not bench.pull_now(subscription)


def test_refused_message_is_redelivered(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    first = bench.pull(subscription)[0]
    modify(bench, subscription, first.ack_id, 0)
    second = bench.pull(subscription)[0]
    assert second.message.message_id == first.message.message_id


def test_message_is_redelivered_after_its_deadline(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    modify(bench, subscription, bench.pull(subscription)[0].ack_id, 1)
    assert not bench.pull_now(subscription)
    assert bench.pull(subscription, seconds=4)[0].message.data == b"x"


def test_an_old_acknowledgement_id_does_not_move_the_new_deadline(local: Bench) -> None:
    topic = local.topic()
    subscription = local.subscription(topic)
    local.publish(topic, {"data": b"x"})
    old = local.pull(subscription)[0]
    modify(local, subscription, old.ack_id, 0)
    local.pull(subscription)
    modify(local, subscription, old.ack_id, 0)
    assert not local.pull_now(subscription)


def test_a_pull_waits_for_a_message(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    future = bench.publisher.publish(topic, b"soon")
    response = bench.subscriber.pull(subscription=subscription, max_messages=1, timeout=10)
    assert response.received_messages[0].message.message_id == future.result(5)


def test_pull_respects_max_messages(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, *({"data": b"x"} for _ in range(10)))
    assert len(list(bench.pull_now(subscription, limit=3))) <= 3


@pytest.mark.parametrize("ack_ids", [[], ["nonsense"], ["9" * 5000 + "-1"], ["1-²"]])
def test_wrong_acknowledgement_ids_are_refused(bench: Bench, ack_ids: list[str]) -> None:
    subscription = bench.subscription(bench.topic())
    with pytest.raises(exceptions.InvalidArgument):
        bench.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)


def test_a_pull_of_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        bench.subscriber.pull(subscription=bench.subscription(bench.topic()), max_messages=0)


def test_a_push_subscription_cannot_be_pulled(local: Bench) -> None:
    subscription = local.subscription(local.topic(), push_config={"push_endpoint": "http://127.0.0.1:1/"})
    with pytest.raises(exceptions.FailedPrecondition, match="push subscription"):
        local.subscriber.pull(subscription=subscription, max_messages=1)


def test_messages_of_one_ordering_key_come_in_order(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic, enable_message_ordering=True)
    bench.publish(topic, *({"data": b"%d" % number, "ordering_key": "k"} for number in range(5)))
    seen: list[bytes] = []
    while len(seen) < 5:
        messages = bench.pull(subscription)
        seen += [one.message.data for one in messages]
        bench.acknowledge(subscription, messages)
    assert seen == [b"0", b"1", b"2", b"3", b"4"]


def test_the_streaming_subscriber_works(local: Bench, pubsub: PubsubServer) -> None:
    topic = local.topic()
    subscription = local.subscription(topic)
    got: queue.Queue[bytes] = queue.Queue()

    def take(message: object) -> None:
        got.put(message.data)  # type: ignore[attr-defined]
        message.ack()  # type: ignore[attr-defined]

    streaming = local.subscriber.subscribe(subscription, take)
    sent = [b"%d" % number for number in range(300)]
    local.publish(topic, *({"data": data} for data in sent))
    assert {got.get(timeout=10) for _ in sent} == set(sent)
    wait_until(lambda: pubsub.backlog(subscription)["messages"] == 0, "the acknowledgement of every message", 5)  # type: ignore[index]
    streaming.cancel()
    streaming.result(timeout=5)


def modify(bench: Bench, subscription: str, ack_id: str, seconds: int) -> None:
    bench.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[ack_id], ack_deadline_seconds=seconds)
