"""Start, stop and observe: the subscription is the truth, the state is stored, and the audit names the person."""

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
from infra.pubsub.delivery_state import differences
from infra.pubsub.delivery_warnings import NO_DEAD_LETTER
from infra.pubsub.subscription_config import push_fields
from infra.settings import ConsoleSettings
from tests.support.accounts import NAMES

# Nothing listens there: these tests publish nothing.
ENDPOINT = "http://127.0.0.1:9/push"


@pytest.fixture
def subscription(settings: ConsoleSettings, pubsub: PubSub) -> Iterator[str]:
    """A new stopped subscription without a dead-letter policy."""
    name = NAMES.create_prefix()
    topic = f"projects/{settings.google_cloud_project}/topics/{name}"
    pubsub.publisher.create_topic(name=topic)
    pubsub.subscriber.create_subscription(name=settings.subscription_path(name), topic=topic)
    yield name
    pubsub.publisher.delete_topic(topic=topic)


@pytest.fixture
def control(
    settings: ConsoleSettings, database: Database, pubsub: PubSub, audit: Audit, subscription: str
) -> DeliveryControl:
    monitored = replace(settings, subscriptions=(subscription,))
    return DeliveryControl(monitored, ENDPOINT, database, pubsub, audit, Logger("CRITICAL"))


def stored(database: Database, subscription: str) -> dict[str, object]:
    return fields_of(database.documents.collection("subscriptions").document(subscription).get())


def audited(database: Database, subscription: str) -> list[tuple[str, str, str]]:
    ours = FieldFilter("target", "==", f"subscriptions/{subscription}")
    entries = database.documents.collection("audit").where(filter=ours).stream()
    in_order = sorted(entries, key=lambda entry: entry.get("at"))
    return [(entry.get("who"), entry.get("what"), entry.get("detail")) for entry in in_order]


def test_start_sets_endpoint_account_and_audience(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    delivery = control.start(subscription, "operator")
    assert (delivery.state, delivery.changed_by) == ("receiving", "operator")
    push_config = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription)).push_config
    assert push_config.push_endpoint == ENDPOINT
    assert push_config.oidc_token.service_account_email == settings.push_service_account
    assert push_config.oidc_token.audience == settings.push_audience[0]


def test_settings_that_the_receiver_refuses_are_named(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    assert control.last(subscription) is None
    assert control.start(subscription, "operator").differences == ()
    oidc = types.PushConfig.OidcToken(service_account_email="else@example.com", audience="https://else.example")
    pubsub.subscriber.modify_push_config(
        subscription=settings.subscription_path(subscription),
        push_config=types.PushConfig(push_endpoint=ENDPOINT, oidc_token=oidc),
    )
    delivery = control.observe(subscription)
    assert (delivery.state, delivery.ours) == ("receiving", True)
    assert delivery.differences == (
        f"the push service account is else@example.com, not {settings.push_service_account}",
        f"the audience is https://else.example, not {' or '.join(settings.push_audience)}",
    )
    assert any(warning.startswith("The receiver rejects its pushes: the push service") for warning in delivery.warnings)
    assert control.last(subscription) == delivery
    assert control.start(subscription, "operator").differences == ()
    assert control.stop(subscription, "operator").differences == ()


def test_retention_is_read(control: DeliveryControl, subscription: str) -> None:
    assert control.observe(subscription).retention == timedelta(days=7)


@pytest.mark.parametrize(
    ("account", "audience", "expected"),
    [
        ("push@p", "aud", ()),
        ("push@p", "other-aud", ()),
        ("push@p", "", ("the audience is https://r/push, not aud or other-aud",)),
        ("", "", ("the push service account is none, not push@p",)),
    ],
)
def test_differences_accept_each_audience_of_the_receiver(
    account: str, audience: str, expected: tuple[str, ...]
) -> None:
    oidc = types.PushConfig.OidcToken(service_account_email=account, audience=audience)
    fields = push_fields(types.PushConfig(push_endpoint="https://r/push", oidc_token=oidc))
    assert differences(fields, "https://r/push", "push@p", ("aud", "other-aud")) == expected
    assert differences(fields, "", "", ()) == ()


def test_stop_clears_the_endpoint_and_stores_the_old_one(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    control.start(subscription, "operator")
    delivery = control.stop(subscription, "admin")
    assert (delivery.state, delivery.changed_by) == ("stopped", "admin")
    current = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription))
    assert current.push_config == types.PushConfig()
    kept = stored(database, subscription)
    assert (kept["observed_running"], kept["push_endpoint"]) == (False, ENDPOINT)


def test_repeated_start_or_stop_keeps_who_changed_it(control: DeliveryControl, subscription: str) -> None:
    for change, state in ((control.start, "receiving"), (control.stop, "stopped")):
        first = change(subscription, "operator")
        again = change(subscription, "admin")
        assert (again.state, again.changed_by) == (state, "operator")
        assert first.changed_at
        assert again.changed_at
        assert again.changed_at - first.changed_at < timedelta(milliseconds=1)


def test_start_resets_push_config_fields_that_are_not_stored(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    control.start(subscription, "operator")
    path = settings.subscription_path(subscription)
    config = pubsub.subscriber.get_subscription(subscription=path).push_config
    config.attributes["x-goog-version"] = "v1beta1"
    pubsub.subscriber.modify_push_config(subscription=path, push_config=config)
    assert pubsub.subscriber.get_subscription(subscription=path).push_config.attributes
    control.start(subscription, "admin")
    left = pubsub.subscriber.get_subscription(subscription=path).push_config.attributes
    assert dict(left) == {"x-goog-version": "v1"}, "Pub/Sub keeps a version unless another one is named"


def test_change_made_elsewhere_is_attributed_to_no_user(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    control.start(subscription, "operator")
    path = settings.subscription_path(subscription)
    pubsub.subscriber.modify_push_config(subscription=path, push_config=types.PushConfig())
    delivery = control.observe(subscription)
    assert (delivery.state, delivery.changed_by) == ("stopped", "")
    assert ("", "delivery.changed_elsewhere", "stopped") in audited(database, subscription)


def test_foreign_endpoint_is_reported_and_start_replaces_it(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub
) -> None:
    other = types.PushConfig(push_endpoint="http://127.0.0.1:9/other")
    path = settings.subscription_path(subscription)
    pubsub.subscriber.modify_push_config(subscription=path, push_config=other)
    assert not control.observe(subscription).ours
    assert control.start(subscription, "operator").ours


def test_observing_an_unchanged_state_writes_nothing(
    control: DeliveryControl, subscription: str, database: Database
) -> None:
    control.observe(subscription)
    reference = database.documents.collection("subscriptions").document(subscription)
    before = reference.get().update_time
    control.observe(subscription)
    assert reference.get().update_time == before


def test_audit_has_the_request_and_its_outcome(control: DeliveryControl, subscription: str, database: Database) -> None:
    control.start(subscription, "operator")
    requests = [entry for entry in audited(database, subscription) if entry[0]]
    assert requests == [("operator", "delivery.start", "requested"), ("operator", "delivery.start", "done")]


def test_concurrent_changes_leave_the_true_state_stored(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    def press(person: int) -> None:
        change = control.start if person % 2 else control.stop
        change(subscription, f"person {person}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(press, range(12)))
    control.observe(subscription)
    current = pubsub.subscriber.get_subscription(subscription=settings.subscription_path(subscription))
    assert stored(database, subscription)["observed_running"] == bool(current.push_config.push_endpoint)
    asked = [entry for entry in audited(database, subscription) if entry[2] == "requested"]
    assert len(asked) == 12


def test_missing_dead_letter_policy_is_a_warning(control: DeliveryControl, subscription: str) -> None:
    assert NO_DEAD_LETTER in control.start(subscription, "operator").warnings


def test_deleted_subscription_is_missing_and_cannot_be_started(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    pubsub.subscriber.delete_subscription(subscription=settings.subscription_path(subscription))
    assert control.observe(subscription).state == "missing"
    with pytest.raises(SubscriptionMissingError, match=subscription):
        control.start(subscription, "operator")
    assert audited(database, subscription)[-1][2].startswith("failed: ")


def test_missing_subscription_is_stored_and_its_return_as_well(
    control: DeliveryControl, subscription: str, settings: ConsoleSettings, pubsub: PubSub, database: Database
) -> None:
    control.start(subscription, "operator")
    path = settings.subscription_path(subscription)
    topic = pubsub.subscriber.get_subscription(subscription=path).topic
    pubsub.subscriber.delete_subscription(subscription=path)
    control.observe(subscription)
    gone = stored(database, subscription)
    assert (gone["observed_running"], gone["unreadable"], gone["changed_by"]) == (False, "missing", "")
    pubsub.subscriber.create_subscription(name=path, topic=topic)
    assert control.observe(subscription).state == "stopped"
    assert stored(database, subscription)["unreadable"] == ""


def test_subscription_that_is_not_monitored_is_refused(control: DeliveryControl) -> None:
    for act in (control.observe, lambda name: control.start(name, "operator")):
        with pytest.raises(InputError, match="not monitored here"):
            act("../other")


def test_start_is_busy_if_others_keep_changing_the_state(
    control: DeliveryControl, database: Database, subscription: str
) -> None:
    document, done = database.documents.collection("subscriptions").document(subscription), threading.Event()

    def write() -> None:
        while not done.is_set():
            document.set({"changed_by": uuid4().hex})

    with ThreadPoolExecutor(1) as other_writer:
        other_writer.submit(write)
        try:
            with pytest.raises(BusyError, match=f"Others are changing the state of {subscription}"):
                control.start(subscription, "operator")
        finally:
            done.set()
