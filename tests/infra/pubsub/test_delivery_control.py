"""Start and stop: the subscription is the truth, everybody is told, and the audit says who."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from google.cloud.firestore import FieldFilter
from google.pubsub_v1 import types

from infra.errors import BusyError, InputError, SubscriptionMissingError
from infra.firestore.client import Database, fields_of
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_control import DeliveryControl
from infra.pubsub.delivery_state import NO_DEAD_LETTER, differences
from infra.settings import ConsoleSettings
from tests.support.accounts import NAMES

# Nobody listens there: these tests publish nothing.
ENDPOINT = "http://127.0.0.1:9/push"


@pytest.fixture
def subscription(settings: ConsoleSettings, pubsub: PubSub) -> Iterator[str]:
    """A stopped subscription of its own, without a dead-letter policy."""
    name = NAMES.create_prefix()
    topic = f"projects/{settings.google_cloud_project}/topics/{name}"
    pubsub.publisher.create_topic(name=topic)
    pubsub.subscriber.create_subscription(name=settings.subscription_path(name), topic=topic)
    yield name
    pubsub.publisher.delete_topic(topic=topic)


@pytest.fixture
def subscriptions(
    settings: ConsoleSettings, database: Database, pubsub: PubSub, audit: Audit, subscription: str
) -> DeliveryControl:
    monitored = replace(settings, subscriptions=(subscription,))
    return DeliveryControl(monitored, ENDPOINT, database, pubsub, audit, Logger("CRITICAL"))


def stored(database: Database, subscription: str) -> dict[str, object]:
    return fields_of(database.documents.collection("subscriptions").document(subscription).get())


def audited(database: Database, subscription: str) -> list[tuple[str, str, str]]:
    ours = FieldFilter("target", "==", f"subscriptions/{subscription}")
    entries = database.documents.collection("audit").where(filter=ours).stream()
    return [
        (one.get("who"), one.get("what"), one.get("detail")) for one in sorted(entries, key=lambda one: one.get("at"))
    ]


def test_start_sets_endpoint_account_and_audience(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    delivery = subscriptions.start(subscription, "ana")
    assert (delivery.state, delivery.changed_by) == ("receiving", "ana")
    found = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription)).push_config
    assert found.push_endpoint == ENDPOINT
    assert found.oidc_token.service_account_email == settings.push_service_account
    assert found.oidc_token.audience == settings.push_audience[0]


def test_what_the_receiver_would_refuse_is_named(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    assert subscriptions.last(subscription) is None
    assert subscriptions.start(subscription, "ana").differences == ()
    oidc = types.PushConfig.OidcToken(service_account_email="else@example.com", audience="https://else.example")
    pubsub.subscriber.modify_push_config(
        subscription=settings.subscription_path(subscription),
        push_config=types.PushConfig(push_endpoint=ENDPOINT, oidc_token=oidc),
    )
    seen = subscriptions.observe(subscription)
    assert (seen.state, seen.ours) == ("receiving", True)
    assert seen.differences == (
        f"the push service account is else@example.com, not {settings.push_service_account}",
        f"the audience is https://else.example, not {' or '.join(settings.push_audience)}",
    )
    assert any(warning.startswith("The receiver rejects its pushes: the push service") for warning in seen.warnings)
    assert subscriptions.last(subscription) == seen
    assert subscriptions.start(subscription, "ana").differences == ()
    assert subscriptions.stop(subscription, "ana").differences == ()


def test_how_long_messages_are_kept_is_read(subscriptions: DeliveryControl, subscription: str) -> None:
    assert subscriptions.observe(subscription).retention == timedelta(days=7)


@pytest.mark.parametrize(
    ("account", "audience", "found"),
    [
        ("push@p", "aud", ()),
        ("push@p", "other-aud", ()),
        ("push@p", "", ("the audience is https://r/push, not aud or other-aud",)),
        ("", "", ("the push service account is none, not push@p",)),
    ],
)
def test_each_audience_of_the_receiver_is_right(account: str, audience: str, found: tuple[str, ...]) -> None:
    oidc = types.PushConfig.OidcToken(service_account_email=account, audience=audience)
    config = types.PushConfig(push_endpoint="https://r/push", oidc_token=oidc)
    assert differences(config, "https://r/push", "push@p", ("aud", "other-aud")) == found
    assert differences(config, "", "", ()) == ()


def test_stop_clears_the_endpoint_and_remembers_what_it_was(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    subscriptions.start(subscription, "ana")
    delivery = subscriptions.stop(subscription, "ben")
    assert (delivery.state, delivery.changed_by) == ("stopped", "ben")
    found = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription))
    assert found.push_config == types.PushConfig()
    kept = stored(database, subscription)
    assert (kept["observed_running"], kept["push_endpoint"]) == (False, ENDPOINT)


def test_stopping_and_starting_twice_changes_nothing_more(subscriptions: DeliveryControl, subscription: str) -> None:
    for change, state in ((subscriptions.start, "receiving"), (subscriptions.stop, "stopped")):
        first = change(subscription, "ana")
        again = change(subscription, "ben")
        assert (again.state, again.changed_by) == (state, "ana")
        assert first.changed_at
        assert again.changed_at
        assert again.changed_at - first.changed_at < timedelta(milliseconds=1)


def test_start_sets_what_nobody_keeps_account_of_too(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    subscriptions.start(subscription, "ana")
    path = settings.subscription_path(subscription)
    config = pubsub.subscriber.get_subscription(subscription=path).push_config
    config.attributes["x-goog-version"] = "v1beta1"
    pubsub.subscriber.modify_push_config(subscription=path, push_config=config)
    assert pubsub.subscriber.get_subscription(subscription=path).push_config.attributes
    subscriptions.start(subscription, "ben")
    assert not pubsub.subscriber.get_subscription(subscription=path).push_config.attributes


def test_a_change_made_elsewhere_is_seen_and_nobody_here_is_blamed(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    subscriptions.start(subscription, "ana")
    path = settings.subscription_path(subscription)
    pubsub.subscriber.modify_push_config(subscription=path, push_config=types.PushConfig())
    delivery = subscriptions.observe(subscription)
    assert (delivery.state, delivery.changed_by) == ("stopped", "")
    assert ("", "delivery.changed_elsewhere", "stopped") in audited(database, subscription)


def test_another_endpoint_is_reported_and_start_sets_it_back(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    other = types.PushConfig(push_endpoint="http://127.0.0.1:9/other")
    path = settings.subscription_path(subscription)
    pubsub.subscriber.modify_push_config(subscription=path, push_config=other)
    assert not subscriptions.observe(subscription).ours
    assert subscriptions.start(subscription, "ana").ours


def test_observing_an_unchanged_state_writes_nothing(
    subscriptions: DeliveryControl, subscription: str, database: Database
) -> None:
    subscriptions.observe(subscription)
    reference = database.documents.collection("subscriptions").document(subscription)
    before = reference.get().update_time
    subscriptions.observe(subscription)
    assert reference.get().update_time == before


def test_the_audit_says_who_asked_and_what_came_of_it(
    subscriptions: DeliveryControl, subscription: str, database: Database
) -> None:
    subscriptions.start(subscription, "ana")
    said = [entry for entry in audited(database, subscription) if entry[0]]
    assert said == [("ana", "delivery.start", "requested"), ("ana", "delivery.start", "done")]


def test_many_people_at_once_end_with_the_truth_on_record(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    def press(person: int) -> None:
        change = subscriptions.start if person % 2 else subscriptions.stop
        change(subscription, f"person {person}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(press, range(12)))
    subscriptions.observe(subscription)
    found = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription))
    assert stored(database, subscription)["observed_running"] == bool(found.push_config.push_endpoint)
    asked = [entry for entry in audited(database, subscription) if entry[2] == "requested"]
    assert len(asked) == 12


def test_a_subscription_without_dead_letters_is_warned_about(subscriptions: DeliveryControl, subscription: str) -> None:
    assert NO_DEAD_LETTER in subscriptions.start(subscription, "ana").warnings


def test_a_deleted_subscription_is_a_state_and_cannot_be_started(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    pubsub.subscriber.delete_subscription(subscription=settings.subscription_path(subscription))
    assert subscriptions.observe(subscription).state == "missing"
    with pytest.raises(SubscriptionMissingError, match=subscription):
        subscriptions.start(subscription, "ana")
    assert audited(database, subscription)[-1][2].startswith("failed: ")


def test_everybody_is_told_when_a_subscription_disappears_and_comes_back(
    subscriptions: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    subscriptions.start(subscription, "ana")
    path = settings.subscription_path(subscription)
    topic = pubsub.subscriber.get_subscription(subscription=path).topic
    pubsub.subscriber.delete_subscription(subscription=path)
    subscriptions.observe(subscription)
    gone = stored(database, subscription)
    assert (gone["observed_running"], gone["unreadable"], gone["changed_by"]) == (False, "missing", "")
    pubsub.subscriber.create_subscription(name=path, topic=topic)
    assert subscriptions.observe(subscription).state == "stopped"
    assert stored(database, subscription)["unreadable"] == ""


def test_only_monitored_subscriptions_are_touched(subscriptions: DeliveryControl) -> None:
    for act in (subscriptions.observe, lambda name: subscriptions.start(name, "ana")):
        with pytest.raises(InputError, match="not monitored here"):
            act("../other")


def test_who_is_kept_from_it_by_others_is_told_so(
    subscriptions: DeliveryControl, database: Database, subscription: str
) -> None:
    document, over = database.documents.collection("subscriptions").document(subscription), threading.Event()

    def write() -> None:
        while not over.is_set():
            document.set({"changed_by": uuid4().hex})

    with ThreadPoolExecutor(1) as somebody:
        somebody.submit(write)
        try:
            with pytest.raises(BusyError, match=f"Others are changing the state of {subscription}"):
                subscriptions.start(subscription, "ana")
        finally:
            over.set()
