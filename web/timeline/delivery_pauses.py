"""The times without delivery, from the audit's entries.

``read_pauses`` costs a read for each subscription and for each entry.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import FieldFilter

from infra.firestore.client import READ_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors

# Of more entries, only the newest are shown.
_MAX_ENTRIES = 200
_TARGET = "subscriptions/"


@dataclass(frozen=True, slots=True)
class Pause:
    """A time without delivery, in aware UTC."""

    subscription: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DeliverySwitch:
    """A start (``running``) or stop of delivery."""

    subscription: str
    at: datetime
    running: bool


def pauses_between(
    subscription: str, switches: Sequence[DeliverySwitch], running_now: bool, since: datetime, until: datetime
) -> list[Pause]:
    """Return the pauses of one subscription between two moments; ``switches`` are its own, oldest first."""
    # Before the first switch, delivery was in the opposite state.
    running = not switches[0].running if switches else running_now
    result: list[Pause] = []
    begin = since
    for switch in (*switches, DeliverySwitch(subscription, until, running=True)):
        if not running and switch.at > begin:
            if result and result[-1].until == begin:
                begin = result.pop().since
            result.append(Pause(subscription, begin, switch.at))
        begin, running = switch.at, switch.running
    return result


def read_pauses(
    database: Database, subscriptions: Iterable[str], since: datetime, until: datetime
) -> tuple[Pause, ...]:
    """Read the pauses of these subscriptions. Raises StoreError."""
    running = _running(database, subscriptions)
    by_subscription = defaultdict(list)
    for switch in _switches(database, since):
        by_subscription[switch.subscription].append(switch)
    return tuple(
        pause
        for subscription, running_now in running.items()
        for pause in pauses_between(subscription, by_subscription[subscription], running_now, since, until)
    )


def _running(database: Database, subscriptions: Iterable[str]) -> dict[str, bool]:
    """Return the last observed states; a subscription that was never observed counts as running."""
    collection = database.documents.collection("subscriptions")
    references = [collection.document(subscription) for subscription in subscriptions]
    with firestore_errors("reading the subscriptions' states"):
        snapshots = list(database.documents.get_all(references, retry=None, timeout=READ_SECONDS))
    return {state.id: (state.to_dict() or {}).get("observed_running") is not False for state in snapshots}


def _switches(database: Database, since: datetime) -> list[DeliverySwitch]:
    query = database.documents.collection("audit").where(filter=FieldFilter("at", ">=", since))
    query = query.order_by("at", direction="DESCENDING").limit(_MAX_ENTRIES)
    with firestore_errors("reading the audit"):
        entries = [entry.to_dict() for entry in query.stream(retry=None, timeout=READ_SECONDS)]
    return [switch for entry in reversed(entries) if (switch := _switch(entry))]


def _switch(entry: dict[str, Any]) -> DeliverySwitch | None:
    at, target = entry.get("at"), entry.get("target")
    running = {
        ("delivery.start", "done"): True,
        ("delivery.stop", "done"): False,
        ("delivery.changed_elsewhere", "receiving"): True,
        ("delivery.changed_elsewhere", "stopped"): False,
    }.get((str(entry.get("what")), str(entry.get("detail"))))
    if running is None or not isinstance(at, datetime) or not isinstance(target, str) or not target.startswith(_TARGET):
        return None
    return DeliverySwitch(target[len(_TARGET) :], at.astimezone(UTC), running)
