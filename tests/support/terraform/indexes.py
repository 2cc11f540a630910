"""The Firestore indexes that the module declares, and the fields that the code stores."""

import json
from datetime import UTC, datetime, timedelta

from infra.firestore.message_writer import delivery_write, message_write, set_deliveries
from infra.messages.message import Pushed
from tests.support.terraform.runner import MODULE

FILE = json.loads((MODULE / "firestore.indexes.json").read_text())
NOW = datetime(2026, 1, 2, tzinfo=UTC)
Index = tuple[tuple[str, str], ...]


def held_indexes() -> list[Index]:
    assert {(index["collectionGroup"], index["queryScope"]) for index in FILE["indexes"]} == {
        ("messages", "COLLECTION")
    }
    return [
        tuple((field["fieldPath"], field.get("order") or field["arrayConfig"]) for field in index["fields"])
        for index in FILE["indexes"]
    ]


def overrides() -> dict[str, set[str]]:
    fields: dict[str, set[str]] = {}
    for entry in FILE["fieldOverrides"]:
        assert entry["indexes"] == [], "an override here is an exemption"
        fields.setdefault(entry["collectionGroup"], set()).add(entry["fieldPath"])
    return fields


def pushed() -> Pushed:
    return Pushed(
        subscription="projects/p/subscriptions/s",
        message_id="1",
        publish_time=NOW,
        data=b"{}",
        attributes={"severity": "ERROR"},
        ordering_key="",
        delivery_attempt=1,
    )


def stored_fields() -> set[str]:
    head = message_write("root", pushed(), chunks=0, shards=1, expire_at=NOW + timedelta(days=1))
    set_deliveries(head, 1, 1)
    again = delivery_write("root", pushed().id, 1, 1)
    transforms = {transform.field_path for write in (head, again) for transform in write.update_transforms}
    return set(head.update.fields) | set(again.update.fields) | transforms
