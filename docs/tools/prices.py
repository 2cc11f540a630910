"""List prices in US dollars, each with the page that has it and the date of the copy that was read.

Nothing here was read from a live page. cloud.google.com/products/calculator has today's prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# A copy of a page that does not say when it was made.
UNDATED = "undated"


@dataclass(frozen=True)
class Price:
    """A price, as docs/costs.md lists it. ``of`` is the date of the copy: a year, a month, or UNDATED."""

    what: str
    dollars: float
    unit: str
    page: str
    of: str
    note: str = ""


@dataclass(frozen=True)
class FirestorePrices:
    """The prices of a Firestore location: for 100,000 documents, and for a GiB in a month."""

    read: float
    write: float
    delete: float
    storage: float


_PUBSUB = "cloud.google.com/pubsub/pricing"
_RUN = "cloud.google.com/run/pricing"
_OBSERVABILITY = "cloud.google.com/stackdriver/pricing"
_FIRESTORE = "cloud.google.com/firestore/pricing"

# With at least 1,000 bytes for each push. A billing account has 10 GiB a month free.
PUSH = Price("delivery by push", 40.0, "TiB", _PUBSUB, "2025")
# No free amount.
BIGQUERY_SUBSCRIPTION = Price("delivery to BigQuery", 50.0, "TiB", _PUBSUB, "2026-09")
BIGQUERY_STORAGE = Price(
    "BigQuery, active storage",
    0.02,
    "GiB, month",
    "cloud.google.com/bigquery/pricing",
    UNDATED,
    "the first 10 GiB free",
)
# Tier 1, billed by request; functions of the second generation cost the same.
VCPU = Price("Cloud Run, vCPU", 0.000024, "second", _RUN, "2025")
MEMORY = Price("Cloud Run, memory", 0.0000025, "GiB, second", _RUN, "2025")
REQUESTS = Price("Cloud Run, requests", 0.40, "million", _RUN, "2025")
LOGS = Price("logs", 0.50, "GiB", _OBSERVABILITY, "2025", "the first 50 GiB free")
ALERT_CONDITION = Price(
    "alert condition",
    1.50,
    "month",
    "cloud.google.com/monitoring/alerts/cost-control",
    "2025",
    "announced; the present page names no price",
)

# Google lists each location. These rows are the two that were read, and the locations that have them.
_REGION = FirestorePrices(read=0.03, write=0.09, delete=0.01, storage=0.15)
_MULTI_REGION = FirestorePrices(read=0.06, write=0.18, delete=0.02, storage=0.18)
DEFAULT_LOCATION = "europe-west1"
FIRESTORE: Mapping[str, FirestorePrices] = {
    DEFAULT_LOCATION: _REGION,
    "us-central1": _REGION,
    "us-west1": _REGION,
    "eur3": _MULTI_REGION,
    "nam5": _MULTI_REGION,
}


def firestore_rows() -> tuple[Price, ...]:
    """Return the rows of docs/costs.md for a region and a multi-region."""
    rows = []
    for where, prices, of, note in (
        ("region", _REGION, UNDATED, "of Oregon and Iowa; Belgium's row was not read"),
        ("multi-region", _MULTI_REGION, "2025", ""),
    ):
        for what, dollars, unit in (
            ("reads", prices.read, "100,000"),
            ("writes", prices.write, "100,000"),
            ("deletes", prices.delete, "100,000"),
            ("storage", prices.storage, "GiB, month"),
        ):
            rows.append(Price(f"Firestore {where}, {what}", dollars, unit, _FIRESTORE, of, note))
    return tuple(rows)


ROWS = (
    PUSH,
    BIGQUERY_SUBSCRIPTION,
    BIGQUERY_STORAGE,
    *firestore_rows(),
    VCPU,
    MEMORY,
    REQUESTS,
    LOGS,
    ALERT_CONDITION,
)
