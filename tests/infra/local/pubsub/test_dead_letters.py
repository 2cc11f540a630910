"""Dead letters: attempts are counted, and the last one moves the message to another topic."""

from collections.abc import Callable

from infra.local.pubsub import PubsubServer
from tests.support.pubsub import PROJECT, Bench, Receiver
from tests.support.waiting import wait_until

FAST = {"minimum_backoff": {"nanos": 10_000_000}, "maximum_backoff": {"nanos": 20_000_000}}


def test_a_message_refused_too_often_becomes_a_dead_letter(
    local: Bench, pubsub: PubsubServer, receivers: Callable[..., Receiver]
) -> None:
    receiver = receivers(answer=lambda _: 400)
    topic, graveyard = local.topic(), local.topic()
    letters = local.subscription(graveyard)
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    subscription = local.subscription(
        topic, push_config={"push_endpoint": receiver.url}, dead_letter_policy=policy, retry_policy=FAST
    )
    local.publish(topic, {"data": b"bad", "attributes": {"k": "v"}})
    letter = local.pull(letters)[0].message
    published = receiver.pushes[0].message["publishTime"]
    attributes = dict(letter.attributes)
    time = attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    assert time[:19] == published[:19]
    assert letter.data == b"bad"
    assert attributes == {
        "k": "v",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": subscription.rpartition("/")[2],
        "CloudPubSubDeadLetterSourceSubscriptionProject": PROJECT,
    }
    assert [push.envelope["deliveryAttempt"] for push in receiver.pushes] == [1, 2, 3, 4, 5]
    assert waiting(pubsub, subscription) == 0


def test_a_pulled_message_counts_its_attempts(local: Bench) -> None:
    topic, graveyard = local.topic(), local.topic()
    letters = local.subscription(graveyard)
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    subscription = local.subscription(topic, dead_letter_policy=policy)
    local.publish(topic, {"data": b"x"})
    attempts = []
    for _ in range(5):
        message = local.pull(subscription)[0]
        attempts.append(message.delivery_attempt)
        local.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=[message.ack_id], ack_deadline_seconds=0
        )
    assert attempts == [1, 2, 3, 4, 5]
    assert local.pull(letters)[0].message.data == b"x"
    assert not local.pull_now(subscription)


def test_attempts_are_absent_without_a_policy(bench: Bench) -> None:
    topic = bench.topic()
    subscription = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    assert bench.pull(subscription)[0].delivery_attempt == 0


def test_a_message_stays_while_the_dead_letter_topic_is_gone(
    local: Bench, pubsub: PubsubServer, receivers: Callable[..., Receiver]
) -> None:
    receiver = receivers(answer=lambda _: 400)
    topic, graveyard = local.topic(), local.topic()
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    subscription = local.subscription(
        topic, push_config={"push_endpoint": receiver.url}, dead_letter_policy=policy, retry_policy=FAST
    )
    local.publisher.delete_topic(topic=graveyard)
    local.publish(topic, {"data": b"bad"})
    receiver.wait_for(8)
    assert waiting(pubsub, subscription) == 1


def test_a_policy_set_later_starts_to_count_then(
    local: Bench, pubsub: PubsubServer, receivers: Callable[..., Receiver]
) -> None:
    receiver = receivers(answer=lambda _: 400)
    topic, graveyard = local.topic(), local.topic()
    subscription = local.subscription(topic, push_config={"push_endpoint": receiver.url}, retry_policy=FAST)
    local.publish(topic, {"data": b"bad"})
    receiver.wait_for(7)
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    request = {
        "subscription": {"name": subscription, "dead_letter_policy": policy},
        "update_mask": {"paths": ["dead_letter_policy"]},
    }
    local.subscriber.update_subscription(request=request)
    wait_until(lambda: waiting(pubsub, subscription) == 0, "the dead letter", 5)
    attempts = [push.envelope.get("deliveryAttempt") for push in receiver.pushes]
    assert [one for one in attempts if one] == [1, 2, 3, 4, 5]


def waiting(pubsub: PubsubServer, subscription: str) -> object:
    """Return the number of messages in the backlog."""
    found = pubsub.backlog(subscription)
    assert found is not None
    return found["messages"]
