"""Read, start and stop the delivery of a subscription.

The subscription itself is the truth: it is read again after each change, and a change made elsewhere (the console,
Terraform) is noticed. ``delivery_state_store`` keeps the last state for all pages.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from infra.errors import InputError, SubscopeError, SubscriptionDeniedError, SubscriptionMissingError
from infra.firestore.client import Database
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_state import Delivery, DeliveryState, differences, warnings_of
from infra.pubsub.delivery_state_store import DeliveryStateStore, LastChange, Observed, Requested, state_fields
from infra.pubsub.push_config_admin import PushConfigAdmin, SubscriptionConfig
from infra.settings import Settings


class DeliveryControl:
    """The delivery of the monitored subscriptions. ``push_endpoint`` is the receiver's address, which Start sets."""

    def __init__(
        self, settings: Settings, push_endpoint: str, database: Database, pubsub: PubSub, audit: Audit, log: Logger
    ) -> None:
        self._settings = settings
        self._push_endpoint = push_endpoint
        self._push_configs = PushConfigAdmin(settings, push_endpoint, pubsub)
        self._states = DeliveryStateStore(database, self._push_configs)
        self._audit = audit
        self._log = log
        self._last: dict[str, Delivery] = {}

    def last(self, subscription: str) -> Delivery | None:
        """Return the delivery that this process read last, without a call; None before the first reading."""
        return self._last.get(subscription)

    def observe(self, subscription: str) -> Delivery:
        """Read the subscription's state, and store it for all pages if it changed.

        Raises InputError if the subscription is not monitored. A subscription that cannot be read is a state, not an
        error.
        """
        self._check_monitored(subscription)
        delivery = self._last[subscription] = self._observe(subscription)
        return delivery

    def observe_all(self) -> list[Delivery]:
        """Read the state of every monitored subscription, in the order of the settings."""
        return [self.observe(subscription) for subscription in self._settings.subscriptions]

    def start(self, subscription: str, who: str) -> Delivery:
        """Set the push endpoint: delivery begins for everyone, the backlog first.

        Raises InputError, SubscriptionError, BusyError, StoreError.
        """
        return self._change(subscription, self._push_configs.receiving(), Requested(who, is_receiving=True))

    def stop(self, subscription: str, who: str) -> Delivery:
        """Clear the push endpoint: delivery ends for everyone, and messages wait in Pub/Sub.

        Raises InputError, SubscriptionError, BusyError, StoreError.
        """
        return self._change(subscription, self._push_configs.stopped(), Requested(who, is_receiving=False))

    def _change(self, subscription: str, push_config: Any, request: Requested) -> Delivery:
        self._check_monitored(subscription)
        action, target = "delivery.start" if request.is_receiving else "delivery.stop", f"subscriptions/{subscription}"
        # Record the request first: if this process dies before the change, the audit still names the person.
        self._audit.record(request.who, action, target, "requested")
        try:
            # Record the current state first, so that a change made elsewhere is not attributed to this person.
            config, last_change = self._states.record(subscription, Observed())
            # Always write it: the push config has fields that we do not store, so equal fields prove no equal config.
            self._push_configs.write(subscription, push_config)
            # If the state did not change, keep the original changed_by and changed_at.
            if state_fields(replace(config, push_config=push_config)) != state_fields(config):
                config, last_change = self._states.record(subscription, request)
        except SubscopeError as exc:
            self._audit.record(request.who, action, target, f"failed: {exc}")
            raise
        self._log.info(action, who=request.who, subscription=subscription)
        delivery = self._last[subscription] = self._delivery(subscription, config, last_change)
        return delivery

    def _observe(self, subscription: str) -> Delivery:
        try:
            config, last_change = self._states.record(subscription, Observed())
        except SubscriptionMissingError as exc:
            return self._permanently_unreadable(subscription, "missing", exc)
        except SubscriptionDeniedError as exc:
            return self._permanently_unreadable(subscription, "denied", exc)
        except SubscopeError as exc:
            return self._unreadable(subscription, "unknown", exc)
        return self._delivery(subscription, config, last_change)

    def _delivery(self, subscription: str, config: SubscriptionConfig, last_change: LastChange) -> Delivery:
        endpoint = config.push_config.push_endpoint
        ours = not config.is_receiving or endpoint == self._push_endpoint
        wrong = self._differences(config.push_config) if config.is_receiving else ()
        return Delivery(
            subscription=subscription,
            state="receiving" if config.is_receiving else "stopped",
            topic=config.topic,
            push_endpoint=endpoint,
            ours=ours,
            differences=wrong,
            retention=config.retention,
            changed_by=last_change.by,
            changed_at=last_change.at,
            checked_at=datetime.now(UTC),
            warnings=warnings_of(config.has_dead_letter_topic, ours, wrong),
        )

    def _differences(self, push_config: Any) -> tuple[str, ...]:
        settings = self._settings
        return differences(push_config, self._push_endpoint, settings.push_service_account, settings.push_audience)

    def _permanently_unreadable(
        self, subscription: str, reason: Literal["missing", "denied"], exc: SubscopeError
    ) -> Delivery:
        """Store the reason, so that every open page shows it; an outage passes and is not stored."""
        try:
            self._states.record_unreadable(subscription, reason)
        except SubscopeError as failure:
            self._log.warning("The delivery state cannot be recorded.", subscription=subscription, reason=str(failure))
        return self._unreadable(subscription, reason, exc)

    def _unreadable(self, subscription: str, state: DeliveryState, exc: SubscopeError) -> Delivery:
        self._log.warning("The delivery state cannot be read.", subscription=subscription, state=state, reason=str(exc))
        return Delivery(subscription, state, checked_at=datetime.now(UTC), warnings=(str(exc),))

    def _check_monitored(self, subscription: str) -> None:
        if subscription not in self._settings.subscriptions:
            known = ", ".join(self._settings.subscriptions)
            raise InputError("subscription", f"{subscription!r} is not monitored here; monitored are {known}.")
