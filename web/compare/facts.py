"""The attributes and metadata of two messages, side by side. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.messages.masking import HIDDEN, Mask
from infra.messages.message import Message

Verdict = Literal["equal", "added", "removed", "changed", "masked"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One named value of both messages; None where a message has none."""

    name: str
    old: str | None
    new: str | None
    verdict: Verdict


def attributes(a: Message, b: Message, mask: Mask) -> list[Fact]:
    """Return every attribute of either message, by name."""
    return [
        _fact(name, a.attributes.get(name), b.attributes.get(name), mask)
        for name in sorted(a.attributes.keys() | b.attributes.keys())
    ]


def metadata(a: Message, b: Message, mask: Mask) -> list[Fact]:
    """Return the fields that Pub/Sub and the receiver set, except for the publish time."""
    facts = list(_metadata(a, b, mask))
    if mask.changes_payloads:
        # An exact comparison of sizes could tell that two masked values have the same length.
        facts = [Fact(one.name, one.old, one.new, "masked") if one.name == "Size" else one for one in facts]
    return facts


def _metadata(a: Message, b: Message, mask: Mask) -> Iterator[Fact]:
    yield _fact("Subscription", a.subscription, b.subscription, mask)
    yield _fact("Ordering key", a.ordering_key or None, b.ordering_key or None, mask)
    yield _fact("Kind", a.kind, b.kind, mask)
    yield _fact("Size", f"{a.size_bytes:,} bytes", f"{b.size_bytes:,} bytes", mask)
    yield _fact("Deliveries", str(a.deliveries), str(b.deliveries), mask)


def _fact(name: str, old: str | None, new: str | None, mask: Mask) -> Fact:
    if mask and HIDDEN in (old, new):
        return Fact(name, old, new, "masked")
    if old == new:
        return Fact(name, old, new, "equal")
    return Fact(name, old, new, "added" if old is None else "removed" if new is None else "changed")
