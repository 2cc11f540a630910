"""Read, start and stop the delivery of a subscription.

The subscription itself is the truth: it is read again after each change, and a change made elsewhere (the console,
Terraform) is noticed. ``delivery_state_store`` keeps the last state for all pages, and the request of each person until
its outcome is known.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from infra.errors import (
    BusyError,
    InputError,
    SubscopeError,
    SubscriptionDeniedError,
    SubscriptionEndedError,
    SubscriptionMissingError,
    SubscriptionUnavailableError,
)
from infra.firestore.client import Database
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_state import Delivery, DeliveryState, delivery_of, differences
from infra.pubsub.delivery_state_store import DeliveryStateStore, LastChange
from infra.pubsub.delivery_warnings import NOT_RECORDED, reason_of_end
from infra.pubsub.push_config_admin import PushConfigAdmin
from infra.pubsub.subscription_config import SubscriptionConfig, push_fields
from infra.pubsub.switch_requests import UNKNOWN, SwitchRequest
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
        return self._switch(subscription, who, "delivery.start")

    def stop(self, subscription: str, who: str) -> Delivery:
        """Clear the push endpoint: delivery ends for everyone, and messages wait in Pub/Sub.

        Raises InputError, SubscriptionError, BusyError, StoreError.
        """
        return self._switch(subscription, who, "delivery.stop")

    def _switch(self, subscription: str, who: str, action: Literal["delivery.start", "delivery.stop"]) -> Delivery:
        self._check_monitored(subscription)
        wants = self._push_configs.receiving("") if action == "delivery.start" else self._push_configs.stopped()
        # Each later observation, also after the death of this process, attributes the change by this request.
        request = SwitchRequest(uuid4().hex, who, push_fields(wants))
        try:
            config = self._states.open_request(subscription, request)
        except SubscopeError as exc:
            self._drop(subscription, request, exc)
            raise
        if action == "delivery.start" and config.push_form:
            wants = self._push_configs.receiving(config.push_form)
        try:
            self._check_startable(subscription, config, action)
            # Always write it: the push config has fields that we do not store, so equal fields prove no equal config.
            self._push_configs.write(subscription, wants)
        except SubscriptionUnavailableError as exc:
            return self._after_silence(subscription, request, exc)
        except SubscopeError as exc:
            self._drop(subscription, request, exc)
            raise
        self._log.info(action, who=who, subscription=subscription)
        return self._after_answer(subscription, request, replace(config, push_config=wants))

    def _drop(self, subscription: str, request: SwitchRequest, refusal: SubscopeError) -> None:
        """Remove a request without effect. One that could not be stored may be there in spite of the error."""
        detail = f"failed: {refusal}"
        with self._unrecorded(subscription, request.action):
            if isinstance(refusal, BusyError):
                self._audit.record(request.by, request.action, f"subscriptions/{subscription}", detail)
            else:
                self._states.drop_request(subscription, request, detail)

    def _after_answer(self, subscription: str, request: SwitchRequest, config: SubscriptionConfig) -> Delivery:
        """Store the state that Pub/Sub has confirmed; return it also if that fails: the request is stored already."""
        for _ in range(2):
            with self._unrecorded(subscription, request.action):
                return self._keep(subscription, *self._states.finish_request(subscription, request))
        delivery = self._keep(subscription, config, LastChange(request.by, datetime.now(UTC)))
        return replace(delivery, warnings=(NOT_RECORDED, *delivery.warnings))

    def _after_silence(
        self, subscription: str, request: SwitchRequest, silence: SubscriptionUnavailableError
    ) -> Delivery:
        """Look whether a call without an answer has taken effect; if not, its request stays open for a while."""
        with self._unrecorded(subscription, request.action):
            config, last_change = self._states.observe(subscription)
            if request.is_fulfilled_by(push_fields(config.push_config)):
                config, last_change = self._states.finish_request(subscription, request)
                return self._keep(subscription, config, last_change)
        with self._unrecorded(subscription, request.action):
            target = f"subscriptions/{subscription}"
            self._audit.record(request.by, request.action, target, f"{UNKNOWN}: {silence}")
        raise SubscriptionUnavailableError(
            f"{silence}. It is unknown whether this took effect: look at the state of {subscription} in a minute."
        ) from silence

    @contextlib.contextmanager
    def _unrecorded(self, subscription: str, action: str) -> Iterator[None]:
        """Log a failure to record an outcome: the outcome itself, or its error, matters more to the caller."""
        try:
            yield
        except SubscopeError as exc:
            self._log.error("the outcome is not recorded", subscription=subscription, what=action, reason=str(exc))

    def _check_startable(self, subscription: str, config: SubscriptionConfig, action: str) -> None:
        if action == "delivery.start" and config.ended not in ("", "resource_error"):
            raise SubscriptionEndedError(f"{subscription} cannot be started. {reason_of_end(subscription, config)}")

    def _keep(self, subscription: str, config: SubscriptionConfig, last_change: LastChange) -> Delivery:
        delivery = self._last[subscription] = self._delivery(subscription, config, last_change)
        return delivery

    def _observe(self, subscription: str) -> Delivery:
        try:
            config, last_change = self._states.observe(subscription)
        except SubscriptionMissingError as exc:
            return self._permanently_unreadable(subscription, "missing", exc)
        except SubscriptionDeniedError as exc:
            return self._permanently_unreadable(subscription, "denied", exc)
        except SubscopeError as exc:
            return self._unreadable(subscription, "unknown", exc)
        return self._delivery(subscription, config, last_change)

    def _delivery(self, subscription: str, config: SubscriptionConfig, last_change: LastChange) -> Delivery:
        wrong = self._differences(config.push_config) if config.is_receiving else ()
        return delivery_of(subscription, config, last_change.by, last_change.at, self._push_endpoint, wrong)

    def _differences(self, push_config: Any) -> tuple[str, ...]:
        fields, settings = push_fields(push_config), self._settings
        return differences(fields, self._push_endpoint, settings.push_service_account, settings.push_audience)

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
