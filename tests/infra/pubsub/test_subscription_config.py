"""Facts of a subscription that end its delivery or change its form, and their sentences."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.pubsub_v1 import types

from infra.pubsub.delivery_state import Delivery, delivery_of, differences
from infra.pubsub.subscription_config import DELETED_TOPIC, push_fields, read_subscription

ENDPOINT = "https://r/push"
NOW = datetime.now(UTC)
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def delivery(changed_at: datetime | None = None, **fields: Any) -> Delivery:
    oidc = types.PushConfig.OidcToken(service_account_email="push@p", audience="aud")
    usual = {
        "topic": "projects/p/topics/t",
        "push_config": types.PushConfig(push_endpoint=ENDPOINT, oidc_token=oidc),
        "dead_letter_policy": types.DeadLetterPolicy(dead_letter_topic="projects/p/topics/dead"),
        "expiration_policy": types.ExpirationPolicy(),
        "state": types.Subscription.State.ACTIVE,
    }
    config = read_subscription(types.Subscription(**{**usual, **fields}))
    fields = push_fields(config.push_config)
    wrong = differences(fields, ENDPOINT, "push@p", ("aud",)) if config.is_receiving else ()
    return delivery_of("builds", config, "", changed_at, ENDPOINT, wrong)


def test_usual_subscription_has_no_warning() -> None:
    found = delivery()
    assert (found.state, found.warnings, found.differences, found.end_reason) == ("receiving", (), (), "")
    assert delivery(push_config=types.PushConfig()).state == "stopped"


@pytest.mark.parametrize(
    ("fields", "state", "sentence"),
    [
        ({"topic": DELETED_TOPIC}, "topic_deleted", "Its topic was deleted: no new message can arrive"),
        ({"detached": True}, "detached", "It is detached from its topic"),
        ({"detached": True, "topic": DELETED_TOPIC}, "detached", "Delete builds and create the subscription again"),
        ({"bigquery_config": {"table": "p.d.t"}}, "exported", "It writes its messages to BigQuery"),
        ({"cloud_storage_config": {"bucket": "b"}}, "exported", "It writes its messages to Cloud Storage"),
        ({"bigtable_config": {"table": "t"}}, "exported", "It writes its messages to Bigtable"),
        ({"state": types.Subscription.State.RESOURCE_ERROR}, "resource_error", "(state RESOURCE_ERROR)"),
    ],
)
@pytest.mark.parametrize("push_config", [{"push_endpoint": ENDPOINT}, {}], ids=["pushing", "stopped"])
def test_end_of_delivery_is_a_state_with_its_reason_first(
    fields: dict[str, Any], state: str, sentence: str, push_config: dict[str, Any]
) -> None:
    found = delivery(**fields, push_config=push_config)
    assert found.state == state
    assert found.warnings[0] == found.end_reason
    assert sentence in found.end_reason
    assert found.is_pushing == (state == "topic_deleted" and bool(push_config))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"no_wrapper": {}}, "the payload is unwrapped, not in Pub/Sub's envelope"),
        ({"no_wrapper": {"write_metadata": True}}, "the payload is unwrapped, not in Pub/Sub's envelope"),
        ({"attributes": {"x-goog-version": "v1beta1"}}, "the push format is v1beta1, not v1"),
        ({"attributes": {"x-goog-version": "v1"}}, None),
        ({"attributes": {"x-goog-version": "v1beta2"}}, None),
        ({"attributes": {"x-goog-version": ""}}, None),
        ({"pubsub_wrapper": {}}, None),
    ],
)
def test_form_that_the_receiver_refuses_is_a_difference(change: dict[str, Any], clause: str | None) -> None:
    oidc = {"service_account_email": "push@p", "audience": "aud"}
    found = delivery(push_config={"push_endpoint": ENDPOINT, "oidc_token": oidc, **change})
    assert found.differences == ((clause,) if clause else ())
    assert any("Start delivery again to repair" in warning for warning in found.warnings) == bool(clause)


@pytest.mark.parametrize(
    ("is_stopped", "days", "stopped_days", "sentence"),
    [
        (True, 31, 30, "It expires after 31 days without delivery"),
        (True, 31, 1, None),
        (True, 1, 0, "It expires after 1 day without delivery"),
        (True, 31, None, "It expires after 31 days without delivery: Pub/Sub deletes it with all messages that wait."),
        (True, None, 300, None),
        (False, 31, 30, None),
    ],
)
def test_stopped_subscription_warns_before_it_expires(
    is_stopped: bool, days: int | None, stopped_days: int | None, sentence: str | None
) -> None:
    changed_at = None if stopped_days is None else NOW - timedelta(days=stopped_days)
    policy = types.ExpirationPolicy(ttl=timedelta(days=days)) if days else types.ExpirationPolicy()
    stopped = {"push_config": types.PushConfig()} if is_stopped else {}
    (*_, warning) = ("", *delivery(changed_at, expiration_policy=policy, **stopped).warnings)
    assert (sentence in warning) if sentence else not warning
    if sentence and changed_at and days:
        assert f"{changed_at + timedelta(days=days):%Y-%m-%d %H:%M} UTC" in warning


def test_features_that_change_what_arrives_are_warned_of() -> None:
    transforms = [
        {"javascript_udf": {"function_name": "redact", "code": ""}},
        {"javascript_udf": {"function_name": "off", "code": ""}, "disabled": True},
        {"ai_inference": {"endpoint": "e"}},
    ]
    once, changed = delivery(enable_exactly_once_delivery=True, message_transforms=transforms).warnings
    assert "gcloud pubsub subscriptions update builds --no-enable-exactly-once-delivery" in once
    assert "(the function redact, ai inference)" in changed


def test_filter_is_read() -> None:
    assert delivery(filter="attributes:x").filter == "attributes:x"


def test_every_field_of_a_subscription_is_in_the_table() -> None:
    text = OPERATIONS.read_text()
    table = text.split("## Facts of a subscription", 1)[1].split("\n## ", 1)[0]
    rows = {
        name for line in table.splitlines() if line.startswith("| `") for name in line.split("|")[1].split("`")[1::2]
    }
    fields = {field.name for field in types.Subscription.pb().DESCRIPTOR.fields}
    push_fields = {f"push_config.{field.name}" for field in types.PushConfig.pb().DESCRIPTOR.fields}
    assert rows == fields - {"push_config"} | push_fields
