"""``subscriptions/{id}``: the delivery state that was read last, so that every open page hears of a change at once.

It also holds the requests to start or stop that are under way (``infra.pubsub.switch_requests``). Each change is
written together with its audit entries, and only if no other writer was faster.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from google.cloud.firestore import SERVER_TIMESTAMP, WriteBatch

from infra.errors import BusyError
from infra.firestore.client import READ_SECONDS, Database, Snapshot, fields_of
from infra.firestore.compare_and_set import compare_and_set, put_if_unchanged
from infra.firestore.error_mapping import firestore_errors
from infra.history.audit import record_in_batch
from infra.pubsub.push_config_admin import PushConfigAdmin
from infra.pubsub.subscription_config import SubscriptionConfig, push_fields
from infra.pubsub.switch_requests import AuditLine, Explanation, SwitchRequest, explain, read_requests

# Two people and the periodic observation of several processes may write at once.
_MAX_TRIES = 20
# A read right after a change may still return the old state.
_REREADS = 2
_REREAD_SECONDS = 0.2
# Documents of earlier versions lack these.
_DEFAULTS = {"ended": "", "push_form": ""}


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

    def observe(self, subscription: str) -> tuple[SubscriptionConfig, LastChange]:
        """Read the subscription and store its state. Raises SubscriptionError, BusyError, StoreError."""
        return self._record(subscription)

    def open_request(self, subscription: str, request: SwitchRequest) -> SubscriptionConfig:
        """Store who asks for which state, before Pub/Sub is asked, with an entry in the audit.

        The state is observed as well, so that a change made elsewhere before is not attributed to this person. Raises
        as ``observe``; then Pub/Sub must not be asked.
        """
        return self._record(subscription, opened=request)[0]

    def finish_request(self, subscription: str, request: SwitchRequest) -> tuple[SubscriptionConfig, LastChange]:
        """Store the state after Pub/Sub's answer to a request. Raises as ``observe``."""
        return self._record(subscription, answered=request)

    def drop_request(self, subscription: str, request: SwitchRequest, detail: str) -> None:
        """Remove a request that Pub/Sub refused, with the reason for the audit. Raises BusyError, StoreError."""

        def change(document: Snapshot, batch: WriteBatch) -> None:
            left = [one for one in read_requests(fields_of(document)) if one.id != request.id]
            if document.exists:
                put_if_unchanged(batch, document, _requests_field(left))
            self._put_audit(batch, subscription, AuditLine(request.by, request.action, detail))

        self._change_document(subscription, change, _MAX_TRIES)

    def record_unreadable(self, subscription: str, reason: Literal["missing", "denied"]) -> None:
        """Store that the subscription cannot be read. Raises StoreError.

        One try: another writer that was faster made a newer observation.
        """

        def change(document: Snapshot, batch: WriteBatch) -> None:
            if fields_of(document).get("unreadable") == reason:
                return
            state = {"observed_running": False, "unreadable": reason, "checked_at": SERVER_TIMESTAMP}
            put_if_unchanged(batch, document, {**state, "changed_by": "", "changed_at": SERVER_TIMESTAMP})
            self._put_audit(batch, subscription, AuditLine("", "delivery.changed_elsewhere", reason))

        with contextlib.suppress(BusyError):
            self._change_document(subscription, change, 1)

    def _record(
        self, subscription: str, *, opened: SwitchRequest | None = None, answered: SwitchRequest | None = None
    ) -> tuple[SubscriptionConfig, LastChange]:
        """Read the subscription and store its state.

        The document is read before the subscription and written only if it did not change since: an older observation
        never replaces a newer one, and every request that can have caused the state is in the document.
        """
        rereads = _REREADS if answered else 0

        def read() -> tuple[Snapshot, SubscriptionConfig]:
            nonlocal rereads
            document, config = self._document(subscription), self._push_configs.read(subscription)
            while answered and rereads and not answered.is_fulfilled_by(state_fields(config)):
                rereads -= 1
                time.sleep(_REREAD_SECONDS)
                config = self._push_configs.read(subscription)
            return document, config

        def change(
            read: tuple[Snapshot, SubscriptionConfig], batch: WriteBatch
        ) -> tuple[SubscriptionConfig, dict[str, Any]]:
            document, config = read
            stored = fields_of(document)
            state, requests = state_fields(config), read_requests(stored)
            has_changed = _has_changed(stored, state)
            found = explain(requests, state, has_changed, document.read_time, answered.id if answered else "")
            fields = _fields_to_write(stored, requests, state, found, opened)
            if fields:
                put_if_unchanged(batch, document, fields)
            for line in found.lines:
                self._put_audit(batch, subscription, line)
            if opened:
                self._put_audit(batch, subscription, AuditLine(opened.by, opened.action, "requested"))
            return config, stored | fields

        config, fields = compare_and_set(
            self._database,
            read,
            change,
            task=f"writing the state of {subscription}",
            busy=f"Others are changing the state of {subscription} right now. Look at it, and try again.",
            max_tries=_MAX_TRIES,
        )
        return config, _last_change(fields)

    def _change_document(self, subscription: str, change: Any, max_tries: int) -> None:
        compare_and_set(
            self._database,
            lambda: self._document(subscription),
            change,
            task=f"writing the state of {subscription}",
            busy=f"Another process recorded the state of {subscription}.",
            max_tries=max_tries,
        )

    def _document(self, subscription: str) -> Snapshot:
        with firestore_errors(f"reading the state of {subscription}"):
            reference = self._database.documents.collection("subscriptions").document(subscription)
            return reference.get(retry=None, timeout=READ_SECONDS)

    def _put_audit(self, batch: WriteBatch, subscription: str, line: AuditLine) -> None:
        record_in_batch(self._database, batch, line.by, line.action, f"subscriptions/{subscription}", line.detail)


def state_fields(config: SubscriptionConfig) -> dict[str, Any]:
    """Return the stored fields of a subscription that can be read, without the time."""
    return {**push_fields(config.push_config), "unreadable": "", "ended": config.ended}


def _has_changed(stored: dict[str, Any], state: dict[str, Any]) -> bool:
    """Tell whether a state differs from the stored one. The first state that is observed is no change."""
    known = _DEFAULTS | stored
    return bool(stored) and any(known.get(name) != value for name, value in state.items())


def _fields_to_write(
    stored: dict[str, Any],
    stored_requests: tuple[SwitchRequest, ...],
    state: dict[str, Any],
    found: Explanation,
    opened: SwitchRequest | None,
) -> dict[str, Any]:
    """Return the fields to write; none if the document has them already."""
    fields: dict[str, Any] = {}
    requests = (*found.requests, *([opened] if opened else []))
    if opened or stored_requests != requests:
        fields |= _requests_field(requests)
    if found.has_changed:
        fields |= {**state, "changed_by": found.by, "changed_at": SERVER_TIMESTAMP}
    elif not stored:
        fields |= {**state, "changed_by": "", "changed_at": None}
    return {**fields, "checked_at": SERVER_TIMESTAMP} if fields else {}


def _requests_field(requests: Iterable[SwitchRequest]) -> dict[str, Any]:
    return {"requests": {request.id: request.stored() for request in requests}}


def _last_change(fields: dict[str, Any]) -> LastChange:
    at = fields.get("changed_at")
    return LastChange(fields.get("changed_by") or "", datetime.now(UTC) if at is SERVER_TIMESTAMP else at)
