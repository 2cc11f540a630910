"""Subscriptions: making, reading, changing and deleting them."""

import pytest
from google.api_core import exceptions

from tests.support.pubsub import PROJECT, Bench

MISSING = f"projects/{PROJECT}/subscriptions/missing"


def test_created_subscription_has_given_and_default_fields(local: Bench) -> None:
    topic = local.topic()
    found = local.subscriber.get_subscription(subscription=local.subscription(topic))
    assert (found.topic, found.push_config.push_endpoint, found.ack_deadline_seconds) == (topic, "", 10)
    assert found.message_retention_duration.days == 7
    assert found.expiration_policy.ttl.days == 31
    assert found.state.name == "ACTIVE"


def test_a_push_config_is_read_back(bench: Bench) -> None:
    token = {"service_account_email": "push@p.iam.gserviceaccount.com", "audience": "https://receiver.example"}
    config = {"push_endpoint": "https://receiver.example/", "oidc_token": token}
    name = bench.subscription(bench.topic(), push_config=config, ack_deadline_seconds=60)
    found = bench.subscriber.get_subscription(subscription=name)
    assert found.push_config.push_endpoint == "https://receiver.example/"
    assert found.push_config.oidc_token.audience == "https://receiver.example"
    assert found.push_config.oidc_token.service_account_email == "push@p.iam.gserviceaccount.com"
    assert found.ack_deadline_seconds == 60


def test_policies_get_their_defaults(bench: Bench) -> None:
    topic = bench.topic()
    name = bench.subscription(topic, dead_letter_policy={"dead_letter_topic": topic}, retry_policy={})
    found = bench.subscriber.get_subscription(subscription=name)
    assert found.dead_letter_policy.max_delivery_attempts == 5
    backoff = found.retry_policy
    assert (backoff.minimum_backoff.total_seconds(), backoff.maximum_backoff.total_seconds()) == (10, 600)


def test_existing_subscription_is_refused(bench: Bench) -> None:
    topic = bench.topic()
    name = bench.subscription(topic)
    with pytest.raises(exceptions.AlreadyExists):
        bench.subscriber.create_subscription(name=name, topic=topic)


def test_a_missing_topic_is_not_found(bench: Bench) -> None:
    missing = f"projects/{PROJECT}/topics/missing"
    with pytest.raises(exceptions.NotFound):
        bench.subscription(missing)
    with pytest.raises(exceptions.NotFound):
        bench.subscription(bench.topic(), dead_letter_policy={"dead_letter_topic": missing})


def test_a_missing_subscription_is_not_found(bench: Bench) -> None:
    for call in (
        lambda: bench.subscriber.get_subscription(subscription=MISSING),
        lambda: bench.subscriber.delete_subscription(subscription=MISSING),
        lambda: bench.set_push(MISSING, ""),
        lambda: bench.subscriber.acknowledge(subscription=MISSING, ack_ids=["1-1"]),
        lambda: bench.pull_now(MISSING),
    ):
        with pytest.raises(exceptions.NotFound):
            call()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ack_deadline_seconds": 9},
        {"ack_deadline_seconds": 601},
        {"push_config": {"push_endpoint": "nonsense"}},
        {"push_config": {"push_endpoint": "https://[nonsense"}},
        {"push_config": {"push_endpoint": "https://r.example", "oidc_token": {"audience": "a"}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 60}, "maximum_backoff": {"seconds": 10}}},
        {"message_retention_duration": {"seconds": 599}},
    ],
)
def test_a_wrong_field_is_refused_when_made_and_when_changed(local: Bench, wrong: dict[str, object]) -> None:
    topic = local.topic()
    with pytest.raises(exceptions.InvalidArgument):
        local.subscription(topic, **wrong)
    name = local.subscription(topic)
    before = local.subscriber.get_subscription(subscription=name)
    with pytest.raises(exceptions.InvalidArgument):
        update(local, name, **wrong)
    assert local.subscriber.get_subscription(subscription=name) == before


@pytest.mark.parametrize("attempts", [4, 101])
def test_delivery_attempts_are_five_to_a_hundred(bench: Bench, attempts: int) -> None:
    topic = bench.topic()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}
    with pytest.raises(exceptions.OutOfRange):
        bench.subscription(topic, dead_letter_policy=policy)


@pytest.mark.parametrize(
    "feature",
    [
        {"enable_exactly_once_delivery": True},
        {"bigquery_config": {"table": "p.d.t"}},
        {"retain_acked_messages": True},
        {"message_transforms": [{"javascript_udf": {"function_name": "f", "code": "x"}}]},
    ],
)
def test_unsupported_feature_is_refused_by_name(local: Bench, feature: dict[str, object]) -> None:
    with pytest.raises(exceptions.MethodNotImplemented, match="The local cloud does not"):
        local.subscription(local.topic(), **feature)


def test_only_the_fields_of_the_mask_change(bench: Bench) -> None:
    name = bench.subscription(bench.topic(), labels={"team": "blue"})
    subscription = {"name": name, "ack_deadline_seconds": 30, "labels": {"team": "red"}}
    request = {"subscription": subscription, "update_mask": {"paths": ["ack_deadline_seconds"]}}
    changed = bench.subscriber.update_subscription(request=request)
    assert (changed.ack_deadline_seconds, dict(changed.labels)) == (30, {"team": "blue"})


@pytest.mark.parametrize("paths", [[], ["topic"], ["nonsense"]])
def test_a_mask_names_fields_that_can_change(bench: Bench, paths: list[str]) -> None:
    name = bench.subscription(bench.topic())
    with pytest.raises(exceptions.InvalidArgument):
        bench.subscriber.update_subscription(request={"subscription": {"name": name}, "update_mask": {"paths": paths}})


def test_subscriptions_are_listed_by_project(bench: Bench) -> None:
    topic = bench.topic()
    made = {bench.subscription(topic) for _ in range(3)}
    listed = bench.subscriber.list_subscriptions(request={"project": f"projects/{PROJECT}", "page_size": 2})
    assert made <= {one.name for one in listed}


def test_a_deleted_subscription_is_gone_with_its_backlog(bench: Bench) -> None:
    topic = bench.topic()
    name = bench.subscription(topic)
    bench.publish(topic, {"data": b"x"})
    bench.subscriber.delete_subscription(subscription=name)
    bench.subscriber.create_subscription(name=name, topic=topic)
    assert not bench.pull_now(name)


def update(bench: Bench, name: str, **fields: object) -> None:
    """Update only these fields."""
    request = {"subscription": {"name": name, **fields}, "update_mask": {"paths": list(fields)}}
    bench.subscriber.update_subscription(request=request)


def test_detached_subscription_loses_its_backlog_and_gets_no_message(local: Bench) -> None:
    topic = local.topic()
    name = local.subscription(topic)
    local.publish(topic, {"data": b"before"})
    for _ in range(2):
        local.publisher.detach_subscription(request={"subscription": name})
    local.publish(topic, {"data": b"after"})
    found = local.subscriber.get_subscription(subscription=name)
    assert (found.detached, found.topic) == (True, topic)
    assert list(local.publisher.list_topic_subscriptions(topic=topic)) == []
    with pytest.raises(exceptions.FailedPrecondition, match="detached"):
        local.pull_now(name)
    local.subscriber.delete_subscription(subscription=name)
    with pytest.raises(exceptions.NotFound):
        local.publisher.detach_subscription(request={"subscription": name})


def test_push_version_stays_unless_another_is_named(local: Bench) -> None:
    name = local.subscription(local.topic())
    for attributes, kept in (
        ({"x-goog-version": "v1beta1"}, "v1beta1"),
        ({}, "v1beta1"),
        ({"x-goog-version": "v1"}, "v1"),
    ):
        config = {"push_endpoint": "http://127.0.0.1:9/", "attributes": attributes}
        local.subscriber.modify_push_config(subscription=name, push_config=config)
        found = local.subscriber.get_subscription(subscription=name)
        assert found.push_config.attributes["x-goog-version"] == kept
