"""When delivery was stopped, from the audit's entries. ``read_pauses`` costs a read for each subscription and entry."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import FieldFilter

from infra.firestore.client import READ_SECONDS, Database
from infra.firestore.error_mapping import firestore_errors

# Somebody who switches more often sees the newest of it.
_MAX_ENTRIES = 200
_TARGET = "subscriptions/"


@dataclass(frozen=True, slots=True)
class Pause:
    """A time without delivery; aware UTC."""

    subscription: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DeliverySwitch:
    """Delivery was started (``running``) or stopped."""

    subscription: str
    at: datetime
    running: bool


def pauses_between(
    subscription: str, switches: Sequence[DeliverySwitch], running_now: bool, since: datetime, until: datetime
) -> list[Pause]:
    """The pauses of one subscription between two moments; ``switches`` are its own, oldest first."""
    # Whatever the first one did, it was the other way before.
    running = not switches[0].running if switches else running_now
    found: list[Pause] = []
    begin = since
    for switch in (*switches, DeliverySwitch(subscription, until, running=True)):
        if not running and switch.at > begin:
            if found and found[-1].until == begin:
                begin = found.pop().since
            found.append(Pause(subscription, begin, switch.at))
        begin, running = switch.at, switch.running
    return found


def read_pauses(
    database: Database, subscriptions: Iterable[str], since: datetime, until: datetime
) -> tuple[Pause, ...]:
    """The pauses of these subscriptions. Raises StoreError."""
    running = _running(database, subscriptions)
    by_subscription = defaultdict(list)
    for switch in _switches(database, since):
        by_subscription[switch.subscription].append(switch)
    return tuple(
        pause
        for subscription, now in running.items()
        for pause in pauses_between(subscription, by_subscription[subscription], now, since, until)
    )


def _running(database: Database, subscriptions: Iterable[str]) -> dict[str, bool]:
    """The last observed states; what was never observed counts as running."""
    collection = database.documents.collection("subscriptions")
    references = [collection.document(subscription) for subscription in subscriptions]
    with firestore_errors("reading the subscriptions' states"):
        found = list(database.documents.get_all(references, retry=None, timeout=READ_SECONDS))
    return {one.id: (one.to_dict() or {}).get("observed_running") is not False for one in found}


def _switches(database: Database, since: datetime) -> list[DeliverySwitch]:
    query = database.documents.collection("audit").where(filter=FieldFilter("at", ">=", since))
    query = query.order_by("at", direction="DESCENDING").limit(_MAX_ENTRIES)
    with firestore_errors("reading the audit"):
        entries = [one.to_dict() for one in query.stream(retry=None, timeout=READ_SECONDS)]
    return [switch for entry in reversed(entries) if (switch := _switch(entry))]


def _switch(entry: dict[str, Any]) -> DeliverySwitch | None:
    at, target = entry.get("at"), entry.get("target")
    done = {
        ("delivery.start", "done"): True,
        ("delivery.stop", "done"): False,
        ("delivery.changed_elsewhere", "receiving"): True,
        ("delivery.changed_elsewhere", "stopped"): False,
    }.get((str(entry.get("what")), str(entry.get("detail"))))
    if done is None or not isinstance(at, datetime) or not isinstance(target, str) or not target.startswith(_TARGET):
        return None
    return DeliverySwitch(target[len(_TARGET) :], at.astimezone(UTC), done)
