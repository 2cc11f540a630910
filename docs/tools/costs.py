"""The costs of a month, as arithmetic over the list prices of docs/tools/prices.py.

``python -m docs.tools.cost_tables`` prints the tables of docs/costs.md, and the costs of other uses.
"""

import math
from dataclasses import dataclass, replace

from docs.tools import prices
from docs.tools.prices import FirestorePrices
from infra.messages.chunks import INLINE_BYTES, chunk_count

GIB = 2**30
DAYS = 30
SECONDS = DAYS * 86_400

PUBSUB_FREE_GIB = 10.0
PUSH_MIN_BYTES = 1000
# Of one database in a project, each day. Deletions by TTL are never free.
FREE_WRITES_PER_DAY = 20_000
FREE_READS_PER_DAY = 50_000
FREE_STORAGE_GIB = 1.0
FREE_VCPU_SECONDS = 180_000
FREE_REQUESTS = 2_000_000
FREE_LOG_GIB = 50.0
FREE_BIGQUERY_GIB = 10.0

ALERTS = 5
MEMORY_GIB = 0.5
REQUEST_LOG_BYTES = 1_200
# A stored message without its payload: its fields, and its index entries (two for each token).
FIELDS_BYTES = 1_000
INDEX_BYTES = 1_500
TOKEN_INDEX_BYTES = 300
# A row of BigQuery beside the data: message id, subscription, time and attributes.
ROW_BYTES = 300
# Messages per second of one vCPU; the benchmark on two cores shared with its driver reaches more.
STORED_PER_VCPU_SECOND = 400
# web/live/listen_window.py: when a feed holds over 500 messages, and four times those of the last ten seconds, it opens
# a target that begins with those of the last ten seconds, and Firestore sends them again.
WINDOW_MESSAGES = 500
WINDOW_SHARE = 4
AGAIN_SECONDS = 10.0
# A stream checks its session each minute: the session and its user. The timeline is counted once for all pages.
SESSION_READS_PER_HOUR = 120
TIMELINE_READS_PER_HOUR = 200
PAGE_READS = 50
# Cloud Run counts an instance's time in steps of 100 ms, and a push takes less.
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Subscription:
    """The messages of one subscription that pass its filter. Sizes are averages."""

    messages_per_day: int
    message_bytes: int = 2_000
    tokens: int = 10
    # Messages that do not pass. Pub/Sub acknowledges them itself, and bills their delivery
    # (cloud.google.com/pubsub/docs/filtering).
    excluded_per_day: int = 0

    @property
    def stored_bytes(self) -> int:
        """The bytes that Firestore stores for a message, with its index entries."""
        return self.message_bytes + FIELDS_BYTES + INDEX_BYTES + self.tokens * TOKEN_INDEX_BYTES

    @property
    def documents(self) -> int:
        """The documents of a message: each is written and deleted once."""
        return 1 + (chunk_count(self.message_bytes) if self.message_bytes > INLINE_BYTES else 0)


@dataclass(frozen=True)
class Use:
    """The use of a monitor."""

    subscriptions: tuple[Subscription, ...]
    firestore: FirestorePrices = prices.FIRESTORE[prices.DEFAULT_LOCATION]
    # Google gives a project one free database; another database that is there already can be that one.
    has_free_database: bool = True
    retention_days: int = 7
    watched_hours_per_day: float = 8.0
    # Pages that are open during these hours.
    live_pages: int = 1
    # Instances with open pages: one, until there are more pages than max_streams.
    viewer_instances: int = 1
    pages_per_day: int = 200
    keep_request_logs: bool = False

    @property
    def messages_per_day(self) -> int:
        """The messages of all subscriptions."""
        return sum(one.messages_per_day for one in self.subscriptions)


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
    requests = _over(use.messages_per_day * DAYS, FREE_REQUESTS) / 1e6 * prices.REQUESTS.dollars
    return Bill(
        pubsub=_pubsub(use),
        firestore=_firestore(use),
        receiver=receiver + requests,
        viewer=viewer,
        observability=ALERTS * prices.ALERT_CONDITION.dollars + _logs(use),
    )


def added_by(use: Use, subscription: Subscription) -> float:
    """Compute how much less ``use`` would cost without one of its subscriptions."""
    others = list(use.subscriptions)
    others.remove(subscription)
    return bill(use).total - bill(replace(use, subscriptions=tuple(others))).total


def bigquery(use: Use) -> float:
    """Compute a month of BigQuery subscriptions that keep the same messages for the same days, without queries."""
    delivered = sum((one.messages_per_day + one.excluded_per_day) * one.message_bytes for one in use.subscriptions)
    sent = delivered * DAYS / GIB
    rows = sum(one.messages_per_day * (one.message_bytes + ROW_BYTES) for one in use.subscriptions)
    kept = _over(rows * use.retention_days / GIB, FREE_BIGQUERY_GIB)
    return sent / 1024 * prices.BIGQUERY_SUBSCRIPTION.dollars + kept * prices.BIGQUERY_STORAGE.dollars


def handover_rate(use: Use, dollars: float) -> float:
    """Compute the messages per second at which ``use`` costs ``dollars`` a month more than BigQuery subscriptions.

    ``use`` has one subscription; its rate is varied.
    """
    (one,) = use.subscriptions
    low, high = 0, 10**10
    while high - low > 1:
        middle = (low + high) // 2
        tried = replace(use, subscriptions=(replace(one, messages_per_day=middle),))
        low, high = (low, middle) if bill(tried).total - bigquery(tried) > dollars else (middle, high)
    return high / 86_400


def free_database_worth(use: Use) -> float:
    """Compute the highest price of the amounts that only a free database has."""
    daily = FREE_READS_PER_DAY * use.firestore.read + FREE_WRITES_PER_DAY * use.firestore.write
    return daily / 100_000 * DAYS + FREE_STORAGE_GIB * use.firestore.storage


def shards(use: Use) -> int:
    """Compute the MESSAGE_SHARDS for twice the average rate, as a reserve for peaks."""
    return max(1, math.ceil(2 * use.messages_per_day / 86_400 / 500))


def read_times(messages_per_second: float) -> float:
    """Compute a feed's mean reads of one message, at most: it checks every ten seconds whether to move."""
    again = messages_per_second * AGAIN_SECONDS
    held = max(WINDOW_MESSAGES + 1, WINDOW_SHARE * again)
    return held / (held - again)


def _pubsub(use: Use) -> float:
    sizes = (
        (one.messages_per_day + one.excluded_per_day) * max(PUSH_MIN_BYTES, one.message_bytes)
        for one in use.subscriptions
    )
    return _over(sum(sizes) * DAYS / GIB, PUBSUB_FREE_GIB) / 1024 * prices.PUSH.dollars


def _firestore(use: Use) -> float:
    free = 1 if use.has_free_database else 0
    reads = _over(_reads_per_day(use), free * FREE_READS_PER_DAY) * DAYS * use.firestore.read
    documents = sum(one.messages_per_day * one.documents for one in use.subscriptions)
    writes = _over(documents, free * FREE_WRITES_PER_DAY) * DAYS * use.firestore.write
    deletes = documents * DAYS * use.firestore.delete
    # Expired documents can stay for up to a day.
    stored = sum(one.messages_per_day * one.stored_bytes for one in use.subscriptions) * (use.retention_days + 1)
    storage = _over(stored / GIB, free * FREE_STORAGE_GIB) * use.firestore.storage
    return (reads + writes + deletes) / 100_000 + storage


def _reads_per_day(use: Use) -> float:
    # While at least one page is open, each instance has one feed, independent of the number of pages.
    feed = use.messages_per_day * _watched_share(use) * read_times(use.messages_per_day / 86_400)
    hours = min(24.0, use.watched_hours_per_day)
    timeline = TIMELINE_READS_PER_HOUR * hours
    sessions = SESSION_READS_PER_HOUR * hours * use.live_pages
    return use.viewer_instances * (feed + timeline) + sessions + PAGE_READS * use.pages_per_day


def _watched_share(use: Use) -> float:
    return min(24.0, use.watched_hours_per_day) / 24


def _receiver_seconds(use: Use) -> float:
    """Compute the billed time of all instances: idle, while any request runs; busy, by the rate of one vCPU."""
    rate = use.messages_per_day / 86_400
    return max(1 - math.exp(-rate * STEP_SECONDS), rate / STORED_PER_VCPU_SECOND) * SECONDS


def _compute(seconds: float, free_vcpu_seconds: float) -> tuple[float, float]:
    """Return the remaining free time, and the price of instances with one vCPU."""
    used = _over(seconds, free_vcpu_seconds)
    memory = used * MEMORY_GIB * prices.MEMORY.dollars  # memory is free as long as the vCPU is
    return max(0.0, free_vcpu_seconds - seconds), used * prices.VCPU.dollars + memory


def _logs(use: Use) -> float:
    lines = use.messages_per_day * DAYS if use.keep_request_logs else 0
    return _over(lines * REQUEST_LOG_BYTES / GIB, FREE_LOG_GIB) * prices.LOGS.dollars


def _over(amount: float, free: float) -> float:
    return max(0.0, amount - free)
