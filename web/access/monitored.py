"""Whether this monitor has a subscription: 404 if an address's path names another one, 400 if an argument does."""

from infra.errors import DocumentNotFoundError, InputError
from web.services import services


def subscription_in_path(subscription: str) -> str:
    """Return the id as given. Raises DocumentNotFoundError (404) if the subscription is not monitored."""
    if not _is_monitored(subscription):
        raise DocumentNotFoundError("This subscription is not monitored here.")
    return subscription


def subscription_argument(subscription: str) -> str:
    """Return the id as given; empty means all. Raises InputError (400) if the subscription is not monitored."""
    if subscription and not _is_monitored(subscription):
        raise InputError("subscription", f"{subscription[:100]!r} is not monitored here.")
    return subscription


def _is_monitored(subscription: str) -> bool:
    return subscription in services().settings.subscriptions
