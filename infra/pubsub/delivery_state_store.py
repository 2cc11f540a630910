"""``subscriptions/{id}``: the delivery state that was read last, so that every open page hears of a change at once.

Each change is written together with its audit entry, and only if no other writer was faster.
"""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeGuard

from google.cloud.firestore import SERVER_TIMESTAMP, LastUpdateOption, WriteBatch

from infra.errors import BusyError
from infra.firestore.client import READ_SECONDS, Database, Snapshot, fields_of
from infra.firestore.compare_and_set import compare_and_set
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import audit_fields
from infra.pubsub.push_config_admin import PushConfigAdmin, SubscriptionConfig

# Two people and the periodic observation of several processes may write at once.
_MAX_TRIES = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """The state was only read: a change in it was made outside Subscope."""


@dataclass(frozen=True, slots=True)
class Requested:
    """``who`` asked Subscope for this state."""

    who: str
    is_receiving: bool


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of a state. ``by`` is empty if it was made outside Subscope; ``at`` is None if unknown."""

    by: str
    at: datetime | None


class DeliveryStateStore:
    """The stored states of one database."""

    def __init__(self, database: Database, push_configs: PushConfigAdmin) -> None:
        self._database = database
        self._push_configs = push_configs

    def record(self, subscription: str, cause: Observed | Requested) -> tuple[SubscriptionConfig, LastChange]:
        """Read the subscription and store its state. Raises SubscriptionError, BusyError, StoreError.

        The document is read before the subscription and written only if it did not change since: an older observation
        never replaces a newer one.
        """

        def read() -> tuple[Snapshot, SubscriptionConfig]:
            return self._document(subscription), self._push_configs.read(subscription)

        def change(
            state: tuple[Snapshot, SubscriptionConfig], batch: WriteBatch
        ) -> tuple[SubscriptionConfig, dict[str, Any]]:
            document, config = state
            stored = fields_of(document)
            fields = _fields_to_write(stored, config, cause)
            if fields:
                self._put(batch, document, fields)
                self._put_audit(batch, subscription, fields, cause)
            return config, stored | (fields or {})

        config, fields = compare_and_set(
            self._database,
            read,
            change,
            task=f"writing the state of {subscription}",
            busy=f"Others are changing the state of {subscription} right now. Look at it, and try again.",
            max_tries=_MAX_TRIES,
        )
        return config, _last_change(fields)

    def record_unreadable(self, subscription: str, reason: Literal["missing", "denied"]) -> None:
        """Store that the subscription cannot be read. Raises StoreError.

        One try: another writer that was faster made a newer observation.
        """

        def change(document: Snapshot, batch: WriteBatch) -> None:
            if fields_of(document).get("unreadable") == reason:
                return
            fields = {
                "observed_running": False,
                "unreadable": reason,
                "checked_at": SERVER_TIMESTAMP,
                "changed_by": "",
                "changed_at": SERVER_TIMESTAMP,
            }
            self._put(batch, document, fields)
            self._put_audit(batch, subscription, fields, Observed())

        with contextlib.suppress(BusyError):
            compare_and_set(
                self._database,
                lambda: self._document(subscription),
                change,
                task=f"writing the state of {subscription}",
                busy=f"Another process recorded the state of {subscription}.",
                max_tries=1,
            )

    def _document(self, subscription: str) -> Snapshot:
        with firestore_errors(f"reading the state of {subscription}"):
            reference = self._database.documents.collection("subscriptions").document(subscription)
            return reference.get(retry=None, timeout=READ_SECONDS)

    def _put(self, batch: WriteBatch, document: Snapshot, fields: dict[str, Any]) -> None:
        if document.exists:
            batch.update(document.reference, fields, LastUpdateOption(document.update_time))
        else:
            batch.create(document.reference, fields)

    def _put_audit(
        self, batch: WriteBatch, subscription: str, fields: dict[str, Any], cause: Observed | Requested
    ) -> None:
        entry = _audit_entry(subscription, fields, cause)
        if entry:
            batch.create(self._database.documents.collection("audit").document(), entry)


def state_fields(config: SubscriptionConfig) -> dict[str, Any]:
    """Return the stored fields of a subscription that can be read."""
    fields: dict[str, Any] = {
        "observed_running": config.is_receiving,
        "unreadable": "",
        "checked_at": SERVER_TIMESTAMP,
    }
    if config.is_receiving:  # a stopped subscription keeps the fields of its last delivery
        fields |= {
            "push_endpoint": config.push_config.push_endpoint,
            "push_service_account": config.push_config.oidc_token.service_account_email,
            "push_audience": config.push_config.oidc_token.audience,
        }
    return fields


def _fields_to_write(
    stored: dict[str, Any], config: SubscriptionConfig, cause: Observed | Requested
) -> dict[str, Any] | None:
    """Return the fields to write; None if the document has them already."""
    fields = state_fields(config)
    if _fulfils(cause, config.is_receiving):
        return {**fields, "changed_by": cause.who, "changed_at": SERVER_TIMESTAMP}
    if not stored:  # first observation: the last change is unknown
        return {**fields, "changed_by": "", "changed_at": None}
    if all(stored.get(name) == value for name, value in fields.items() if name != "checked_at"):
        return None
    return {**fields, "changed_by": "", "changed_at": SERVER_TIMESTAMP}


def _last_change(fields: dict[str, Any]) -> LastChange:
    at = fields.get("changed_at")
    return LastChange(fields.get("changed_by") or "", datetime.now(UTC) if at is SERVER_TIMESTAMP else at)


def _audit_entry(subscription: str, fields: dict[str, Any], cause: Observed | Requested) -> dict[str, Any] | None:
    """Return the entry that a request is done, or that the state was changed outside Subscope."""
    target = f"subscriptions/{subscription}"
    if _fulfils(cause, fields["observed_running"]):
        return audit_fields(cause.who, "delivery.start" if cause.is_receiving else "delivery.stop", target, "done")
    if fields["changed_at"] is None:
        return None
    state = fields["unreadable"] or ("receiving" if fields["observed_running"] else "stopped")
    return audit_fields("", "delivery.changed_elsewhere", target, state)


def _fulfils(cause: Observed | Requested, is_receiving: bool) -> TypeGuard[Requested]:
    """Whether the state is the one that was requested; another change may have come in between."""
    return isinstance(cause, Requested) and cause.is_receiving == is_receiving
