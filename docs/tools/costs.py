"""Compute the costs of a month: ``python docs/tools/costs.py`` prints the table of docs/costs.md.

Pure arithmetic over list prices in US dollars, from copies of Google's price pages of 2025: check them before you
decide by them (cloud.google.com/products/calculator). Firestore's prices are those of its multi-regions; most single
regions cost about half.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

GIB = 2**30
DAYS = 30
SECONDS = DAYS * 86_400
PRICES_OF = "2025"

# cloud.google.com/pubsub/pricing: delivery, with at least 1000 bytes per push.
PUBSUB_TIB = 40.0
PUBSUB_FREE_GIB = 10.0
PUSH_MIN_BYTES = 1000
# cloud.google.com/firestore/pricing: per document, and the daily free amount of one database in a project. Deletions by
# TTL are never free.
WRITE = 0.18 / 100_000
READ = 0.06 / 100_000
DELETE = 0.02 / 100_000
FREE_WRITES_PER_DAY = 20_000
FREE_READS_PER_DAY = 50_000
STORAGE_GIB = 0.18
FREE_STORAGE_GIB = 1.0
# cloud.google.com/run/pricing: tier 1, billed by request; functions of the 2nd generation cost the same.
VCPU_SECOND = 0.000024
GIB_SECOND = 0.0000025
MILLION_REQUESTS = 0.40
FREE_VCPU_SECONDS = 180_000
FREE_REQUESTS = 2_000_000
# cloud.google.com/stackdriver/pricing
LOG_GIB = 0.50
FREE_LOG_GIB = 50.0
ALERT_CONDITION = 1.50

ALERTS = 4
MEMORY_GIB = 0.5
REQUEST_LOG_BYTES = 1_200
# A stored message without its payload: its fields, and its index entries (two for each token).
FIELDS_BYTES = 1_000
INDEX_BYTES = 1_500
TOKEN_INDEX_BYTES = 300
# Messages per second of one vCPU; the benchmark on two cores shared with its driver reaches more.
STORED_PER_VCPU_SECOND = 400
# web/live/listen_window.py: when a feed holds over 500 messages, and four times those of the last ten seconds, it opens
# a target that begins with those of the last ten seconds, and Firestore sends them again.
WINDOW_MESSAGES = 500
WINDOW_SHARE = 4
AGAIN_SECONDS = 10.0
# Cloud Run counts an instance's time in steps of 100 ms, and a push takes less.
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Use:
    """The use of a monitor. Sizes are averages."""

    messages_per_day: int
    message_bytes: int = 2_000
    tokens: int = 10
    retention_days: int = 7
    watched_hours_per_day: float = 8.0
    # Instances with open pages: one, until there are more pages than max_streams.
    viewer_instances: int = 1
    pages_per_day: int = 200
    keep_request_logs: bool = False


@dataclass(frozen=True)
class Bill:
    """US dollars a month, by service."""

    pubsub: float
    firestore: float
    receiver: float
    viewer: float
    observability: float

    @property
    def total(self) -> float:
        return self.pubsub + self.firestore + self.receiver + self.viewer + self.observability


def bill(use: Use) -> Bill:
    """Compute the month's bill, without publishing, traffic to browsers, builds, and storage other than messages."""
    receiver_seconds = _receiver_seconds(use)
    viewer_seconds = use.viewer_instances * _watched_share(use) * SECONDS
    # Both services share the free amount. The viewer's use comes first, because it is the same in every row.
    left_vcpu, viewer = _compute(viewer_seconds, FREE_VCPU_SECONDS)
    _, receiver = _compute(receiver_seconds, left_vcpu)
    requests = _over(use.messages_per_day * DAYS, FREE_REQUESTS) / 1e6 * MILLION_REQUESTS
    return Bill(
        pubsub=_pubsub(use),
        firestore=_firestore(use),
        receiver=receiver + requests,
        viewer=viewer,
        observability=ALERTS * ALERT_CONDITION + _logs(use),
    )


def shards(use: Use) -> int:
    """Compute the MESSAGE_SHARDS for twice the average rate, as a reserve for peaks."""
    return max(1, math.ceil(2 * use.messages_per_day / 86_400 / 500))


def read_times(messages_per_second: float) -> float:
    """Compute a feed's mean reads of one message, at most: it checks every ten seconds whether to move."""
    again = messages_per_second * AGAIN_SECONDS
    held = max(WINDOW_MESSAGES + 1, WINDOW_SHARE * again)
    return held / (held - again)


def table(rows: Iterable[Use]) -> str:
    """Write the table of docs/costs.md."""
    lines = [
        "| messages a day | Pub/Sub | Firestore | receiver | viewer | alerts, logs | **a month** | `message_shards` |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for use in rows:
        month = bill(use)
        parts = (month.pubsub, month.firestore, month.receiver, month.viewer, month.observability)
        cells = [f"{use.messages_per_day:,}", *map(_dollars, parts), f"**{_dollars(month.total)}**", str(shards(use))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _pubsub(use: Use) -> float:
    pushed = use.messages_per_day * DAYS * max(PUSH_MIN_BYTES, use.message_bytes) / GIB
    return _over(pushed, PUBSUB_FREE_GIB) / 1024 * PUBSUB_TIB


def _firestore(use: Use) -> float:
    # While at least one page is open, each instance has one feed, independent of the number of pages.
    watched = use.messages_per_day * _watched_share(use) * read_times(use.messages_per_day / 86_400)
    watched *= use.viewer_instances
    reads = _over(watched + 50 * use.pages_per_day, FREE_READS_PER_DAY) * DAYS * READ
    writes = _over(use.messages_per_day, FREE_WRITES_PER_DAY) * DAYS * WRITE
    deletes = use.messages_per_day * DAYS * DELETE
    stored = use.message_bytes + FIELDS_BYTES + INDEX_BYTES + use.tokens * TOKEN_INDEX_BYTES
    # Expired documents can stay for up to a day.
    gib = use.messages_per_day * (use.retention_days + 1) * stored / GIB
    return reads + writes + deletes + _over(gib, FREE_STORAGE_GIB) * STORAGE_GIB


def _watched_share(use: Use) -> float:
    return min(24.0, use.watched_hours_per_day) / 24


def _receiver_seconds(use: Use) -> float:
    """Compute the billed time of all instances: idle, while any request runs; busy, by the rate of one vCPU."""
    rate = use.messages_per_day / 86_400
    return max(1 - math.exp(-rate * STEP_SECONDS), rate / STORED_PER_VCPU_SECOND) * SECONDS


def _compute(seconds: float, free_vcpu_seconds: float) -> tuple[float, float]:
    """Return the remaining free time, and the price of instances with one vCPU."""
    used = _over(seconds, free_vcpu_seconds)
    memory = used * MEMORY_GIB * GIB_SECOND  # memory is free as long as the vCPU is
    return max(0.0, free_vcpu_seconds - seconds), used * VCPU_SECOND + memory


def _logs(use: Use) -> float:
    lines = use.messages_per_day * DAYS if use.keep_request_logs else 0
    return _over(lines * REQUEST_LOG_BYTES / GIB, FREE_LOG_GIB) * LOG_GIB


def _over(amount: float, free: float) -> float:
    return max(0.0, amount - free)


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:.2f}"


ROWS = tuple(Use(messages_per_day=10**power) for power in range(3, 9))

if __name__ == "__main__":
    print(table(ROWS))
