"""Read, start and stop a subscription's delivery through the Pub/Sub admin API.

The subscription itself is the truth: it is read again after each change, and a change made elsewhere (the console,
Terraform) is noticed. ``subscriptions/{id}`` holds what was last seen, so that every page is told at once. What Start
sets comes from the deployment's settings alone, never from a form.
"""

import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from google.api_core import exceptions as google
from google.cloud.firestore import SERVER_TIMESTAMP, LastUpdateOption
from google.pubsub_v1 import types

from infra.errors import (
    BusyError,
    InputError,
    SubscopeError,
    SubscriptionDeniedError,
    SubscriptionMissingError,
)
from infra.firestore.client import READ_SECONDS, WRITE_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import Audit, audit_fields
from infra.logs import Logger
from infra.pubsub.client import CALL_SECONDS, PubSub, pubsub_errors
from infra.pubsub.delivery_state import Delivery, DeliveryState, differences, warnings_of
from infra.settings import Settings

# cloud.google.com/pubsub/docs/subscription-properties#message_retention_duration
_RETENTION = timedelta(days=7)
# Two people at once, or a person and the observer: each try reads both sides anew.
_TRIES = 20
_SOMEBODY_WROTE = (google.FailedPrecondition, google.Aborted, google.AlreadyExists, google.NotFound)


@dataclass(frozen=True)
class _Seen:
    """What the subscription says of itself."""

    topic: str
    config: Any
    dead_letters: bool
    retention: timedelta

    @property
    def running(self) -> bool:
        return bool(self.config.push_endpoint)

    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "observed_running": self.running,
            "unreadable": "",
            "checked_at": SERVER_TIMESTAMP,
        }
        if self.running:  # while it is stopped, these keep what it had
            fields |= {
                "push_endpoint": self.config.push_endpoint,
                "push_service_account": self.config.oidc_token.service_account_email,
                "push_audience": self.config.oidc_token.audience,
            }
        return fields


class DeliveryControl:
    """The monitored subscriptions. ``push_endpoint`` is what Start sets: the receiver's address."""

    def __init__(
        self, settings: Settings, push_endpoint: str, database: Database, pubsub: PubSub, audit: Audit, log: Logger
    ) -> None:
        self._settings = settings
        self._push_endpoint = push_endpoint
        self._database = database
        self._pubsub = pubsub
        self._audit = audit
        self._log = log
        self._last: dict[str, Delivery] = {}

    def last(self, subscription: str) -> Delivery | None:
        """What this process saw last, without asking anybody; None before it looked."""
        return self._last.get(subscription)

    def observe(self, subscription: str) -> Delivery:
        """Read the subscription's state and tell everybody when it changed.

        Raises InputError for one that is not monitored. A subscription that cannot be read is a state, not an error.
        """
        self._check(subscription)
        found = self._last[subscription] = self._observed(subscription)
        return found

    def _observed(self, subscription: str) -> Delivery:
        try:
            seen, fields = self._reconcile(subscription, wanted=None, who="")
        except (SubscriptionMissingError, SubscriptionDeniedError) as exc:
            return self._gone(subscription, "missing" if isinstance(exc, SubscriptionMissingError) else "denied", exc)
        except SubscopeError as exc:
            return self._unreadable(subscription, "unknown", exc)
        return self._delivery(subscription, seen, fields)

    def observe_all(self) -> list[Delivery]:
        """The state of every monitored subscription, in the order of the settings."""
        return [self.observe(subscription) for subscription in self._settings.subscriptions]

    def start(self, subscription: str, who: str) -> Delivery:
        """Set the push endpoint: delivery begins for everyone, the backlog first.

        Raises InputError, SubscriptionError, BusyError, StoreError.
        """
        config = types.PushConfig(
            push_endpoint=self._push_endpoint,
            oidc_token=types.PushConfig.OidcToken(
                service_account_email=self._settings.push_service_account, audience=self._settings.push_audience[0]
            ),
        )
        return self._change(subscription, config, who, "delivery.start")

    def stop(self, subscription: str, who: str) -> Delivery:
        """Clear the push endpoint: delivery ends for everyone, messages wait in Pub/Sub.

        Raises InputError, SubscriptionError, BusyError, StoreError.
        """
        return self._change(subscription, types.PushConfig(), who, "delivery.stop")

    def _change(self, subscription: str, config: Any, who: str, what: str) -> Delivery:
        self._check(subscription)
        # Recorded before it is done: if this process dies in between, the audit still says who asked.
        self._audit.record(who, what, f"subscriptions/{subscription}", "requested")
        wanted = bool(config.push_endpoint)
        try:
            # What it is set to now is kept, whoever set it, and a change made elsewhere is not taken for this one.
            seen, fields = self._reconcile(subscription, wanted=None, who="")
            # In any case: a configuration has more than what is kept of it.
            self._modify(subscription, config)
            # Whoever asks for what is so already takes nobody's place: it stays said who did it, and when.
            if replace(seen, config=config).fields() != seen.fields():
                seen, fields = self._reconcile(subscription, wanted=wanted, who=who)
        except SubscopeError as exc:
            self._audit.record(who, what, f"subscriptions/{subscription}", f"failed: {exc}")
            raise
        self._log.info(what, who=who, subscription=subscription)
        found = self._last[subscription] = self._delivery(subscription, seen, fields)
        return found

    def _modify(self, subscription: str, config: Any) -> None:
        with pubsub_errors(f"changing {subscription}"):
            self._pubsub.subscriber.modify_push_config(
                subscription=self._settings.subscription_path(subscription),
                push_config=config,
                retry=None,
                timeout=CALL_SECONDS,
            )

    def _read(self, subscription: str) -> _Seen:
        with pubsub_errors(f"reading {subscription}"):
            found = self._pubsub.subscriber.get_subscription(
                subscription=self._settings.subscription_path(subscription), retry=None, timeout=CALL_SECONDS
            )
        kept: Any = found.message_retention_duration
        has_dead_letters = bool(found.dead_letter_policy.dead_letter_topic)
        return _Seen(found.topic, found.push_config, has_dead_letters, kept or _RETENTION)

    def _reconcile(self, subscription: str, *, wanted: bool | None, who: str) -> tuple[_Seen, dict[str, Any]]:
        """Write what the subscription says into its document; return both.

        The document is read before the subscription and written only if nobody wrote it since: an older observation
        never replaces a newer one.
        """
        for _ in range(_TRIES):
            before = self._document(subscription)
            seen = self._read(subscription)
            fields = self._news(before.to_dict() or {}, seen, wanted, who)
            if fields is None:
                return seen, before.to_dict()
            if self._write(before, fields, who):
                now = datetime.now(UTC)
                times = {name: now for name, value in fields.items() if value is SERVER_TIMESTAMP}
                return seen, {**(before.to_dict() or {}), **fields, **times}
            time.sleep(random.uniform(0.01, 0.2))  # noqa: S311 - spreads retries, keeps no secret
        raise BusyError(f"The state of {subscription} is being changed by others. Look at it, and try again.")

    def _news(self, before: dict[str, Any], seen: _Seen, wanted: bool | None, who: str) -> dict[str, Any] | None:
        """The fields to write; None when the document says it all already."""
        fields = seen.fields()
        if wanted is not None and seen.running == wanted:
            return {**fields, "changed_by": who, "changed_at": SERVER_TIMESTAMP}
        if not before:  # first seen: nobody is known to have changed it
            return {**fields, "changed_by": "", "changed_at": None}
        if all(before.get(name) == value for name, value in fields.items() if name != "checked_at"):
            return None
        return {**fields, "changed_by": "", "changed_at": SERVER_TIMESTAMP}

    def _document(self, subscription: str) -> Any:
        with firestore_errors(f"reading the state of {subscription}"):
            reference = self._database.documents.collection("subscriptions").document(subscription)
            return reference.get(retry=None, timeout=READ_SECONDS)

    def _write(self, before: Any, fields: dict[str, Any], who: str) -> bool:
        """Write, unless somebody wrote since ``before`` was read; tell whether it was written."""
        subscription = before.reference.id
        batch = self._database.documents.batch()
        if before.exists:
            batch.update(before.reference, fields, LastUpdateOption(before.update_time))
        else:
            batch.create(before.reference, fields)
        entry = self._audit_entry(subscription, fields, who)
        if entry:
            batch.create(self._database.documents.collection("audit").document(), entry)
        with firestore_errors(f"writing the state of {subscription}"):
            try:
                batch.commit(retry=None, timeout=WRITE_SECONDS)
            except _SOMEBODY_WROTE:
                return False
        return True

    def _audit_entry(self, subscription: str, fields: dict[str, Any], who: str) -> dict[str, Any] | None:
        """The entry that says it is done, or that somebody else did it."""
        state = fields["unreadable"] or ("receiving" if fields["observed_running"] else "stopped")
        target = f"subscriptions/{subscription}"
        if who and fields["changed_by"] == who:
            return audit_fields(who, "delivery.start" if state == "receiving" else "delivery.stop", target, "done")
        if fields["changed_at"] is None:
            return None
        return audit_fields("", "delivery.changed_elsewhere", target, state)

    def _delivery(self, subscription: str, seen: _Seen, fields: dict[str, Any]) -> Delivery:
        ours = not seen.running or seen.config.push_endpoint == self._push_endpoint
        wrong = self._differences(seen.config) if seen.running else ()
        return Delivery(
            subscription=subscription,
            state="receiving" if seen.running else "stopped",
            topic=seen.topic,
            push_endpoint=seen.config.push_endpoint,
            ours=ours,
            differences=wrong,
            retention=seen.retention,
            changed_by=fields.get("changed_by") or "",
            changed_at=fields.get("changed_at"),
            checked_at=datetime.now(UTC),
            warnings=warnings_of(seen.dead_letters, ours, wrong),
        )

    def _differences(self, config: Any) -> tuple[str, ...]:
        settings = self._settings
        return differences(config, self._push_endpoint, settings.push_service_account, settings.push_audience)

    def _gone(self, subscription: str, state: Literal["missing", "denied"], exc: SubscopeError) -> Delivery:
        """Tell every open page that the subscription cannot be read; an outage passes, this does not."""
        try:
            before = self._document(subscription)
            if (before.to_dict() or {}).get("unreadable") != state:
                news = {"observed_running": False, "unreadable": state, "checked_at": SERVER_TIMESTAMP}
                self._write(before, {**news, "changed_by": "", "changed_at": SERVER_TIMESTAMP}, "")
        except SubscopeError as failure:
            self._log.warning("delivery state cannot be recorded", subscription=subscription, reason=str(failure))
        return self._unreadable(subscription, state, exc)

    def _unreadable(self, subscription: str, state: DeliveryState, exc: SubscopeError) -> Delivery:
        self._log.warning("delivery state cannot be read", subscription=subscription, state=state, reason=str(exc))
        return Delivery(subscription, state, checked_at=datetime.now(UTC), warnings=(str(exc),))

    def _check(self, subscription: str) -> None:
        if subscription not in self._settings.subscriptions:
            known = ", ".join(self._settings.subscriptions)
            raise InputError("subscription", f"{subscription!r} is not monitored here; monitored are {known}.")
