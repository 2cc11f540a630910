"""Check requests as Pub/Sub does, with the service's status codes. Pure; raises RpcError.

The limits are those of cloud.google.com/pubsub/quotas and cloud.google.com/pubsub/docs/pubsub-basics#resource_names.
Features that the local cloud lacks are refused as UNIMPLEMENTED, so that no setting is ignored silently.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import grpc

from infra.local.rpc import RpcError

MAX_DATA_BYTES = 10_000_000
MAX_MESSAGES = 1000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024

_PROJECT = r"projects/[a-z0-9][a-z0-9.:\-]{1,127}"
_RESOURCE = r"(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}"


def invalid(details: str) -> RpcError:
    """Return an INVALID_ARGUMENT error."""
    return RpcError(grpc.StatusCode.INVALID_ARGUMENT, details)


def check_project(name: str) -> None:
    """Refuse a name that is not ``projects/P``."""
    if not re.fullmatch(_PROJECT, name):
        raise invalid(f"Invalid [projects] name: (name={name})")


def check_name(kind: str, name: str) -> None:
    """Refuse a name that is not ``projects/P/KIND/ID``; ``kind`` is ``topics`` or ``subscriptions``."""
    if not re.fullmatch(f"{_PROJECT}/{kind}/{_RESOURCE}", name):
        raise invalid(f"Invalid [{kind}] name: (name={name})")


def check_messages(messages: Iterable[Any]) -> None:
    """Check the messages of a Publish; one invalid message refuses all of them."""
    count = 0
    for message in messages:
        count += 1
        _check_message(message)
    if count == 0:
        raise invalid("The value for message_count is too small. You passed 0 in the request, but the minimum is 1.")
    if count > MAX_MESSAGES:
        raise invalid(f"The value for message_count is too large. You passed {count}; the maximum is {MAX_MESSAGES}.")


def _check_message(message: Any) -> None:
    size = len(message.data)
    if size > MAX_DATA_BYTES:
        raise invalid(f"The value for message_size is too large. You passed {size}; the maximum is {MAX_DATA_BYTES}.")
    if message.attributes:
        _check_attributes(message.attributes)
    elif not size:
        raise invalid("Some messages are empty: a message needs data or at least one attribute.")
    if len(message.ordering_key.encode()) > MAX_ORDERING_KEY_BYTES:
        raise invalid(f"The ordering key is too long; the maximum is {MAX_ORDERING_KEY_BYTES} bytes.")


def _check_attributes(attributes: Any) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(f"The message has {len(attributes)} attributes; the maximum is {MAX_ATTRIBUTES}.")
    for key, value in attributes.items():
        if not key or key.startswith("goog"):
            raise invalid(f"Invalid attribute key {key!r}: it must not be empty or start with 'goog'.")
        if len(key.encode()) > MAX_KEY_BYTES:
            raise invalid(f"The attribute key {key[:40]!r}… is too long; the maximum is {MAX_KEY_BYTES} bytes.")
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise invalid(f"The value of attribute {key!r} is too long; the maximum is {MAX_VALUE_BYTES} bytes.")


def check_subscription(subscription: Any) -> None:
    """Check a Subscription after its defaults are filled in."""
    _refuse_unsupported(
        subscription,
        ("bigquery_config", "cloud_storage_config", "bigtable_config", "message_transforms"),
        ("enable_exactly_once_delivery", "retain_acked_messages"),
    )
    _check_range("ack_deadline_seconds", subscription.ack_deadline_seconds, 10, 600)
    retention = subscription.message_retention_duration.ToTimedelta().total_seconds()
    _check_range("message_retention_duration", retention, 600, 31 * 86400)
    check_push_config(subscription.push_config)
    if subscription.HasField("dead_letter_policy"):
        attempts = subscription.dead_letter_policy.max_delivery_attempts
        if not 5 <= attempts <= 100:
            # This is the only check for which Pub/Sub answers OUT_OF_RANGE.
            raise RpcError(
                grpc.StatusCode.OUT_OF_RANGE, f"max_delivery_attempts is {attempts}; the service takes 5 to 100."
            )
    if subscription.HasField("retry_policy"):
        _check_retry_policy(subscription.retry_policy)


def check_push_config(config: Any) -> None:
    """Check a PushConfig; one without an endpoint means pull."""
    if config.HasField("oidc_token") and "@" not in config.oidc_token.service_account_email:
        raise invalid("oidc_token.service_account_email is not a service account's e-mail address.")
    if config.push_endpoint and not _is_url(config.push_endpoint):
        raise invalid(f"Invalid push endpoint given (endpoint={config.push_endpoint}).")


def _is_url(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def check_topic(topic: Any) -> None:
    """Refuse topic settings that the local cloud lacks."""
    _refuse_unsupported(topic, ("schema_settings", "ingestion_data_source_settings", "message_transforms"), ())


def _check_retry_policy(policy: Any) -> None:
    least = policy.minimum_backoff.ToTimedelta().total_seconds()
    most = policy.maximum_backoff.ToTimedelta().total_seconds()
    _check_range("retry_policy.minimum_backoff", least, 0, 600)
    _check_range("retry_policy.maximum_backoff", most, 0, 600)
    if least > most:
        raise invalid(f"retry_policy.minimum_backoff is {least:g} s, more than maximum_backoff, {most:g} s.")


def _check_range(field: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise invalid(f"Invalid {field}: {value:g} seconds; the service takes {low} to {high}.")


def _refuse_unsupported(message: Any, messages: Iterable[str], scalars: Iterable[str]) -> None:
    set_fields = {field.name for field, _ in message.ListFields()}
    for name in (*messages, *scalars):
        if name in set_fields:
            raise RpcError(grpc.StatusCode.UNIMPLEMENTED, f"The local cloud does not implement {name}.")
