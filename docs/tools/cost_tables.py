"""Prints the tables of docs/costs.md, or the costs of a use: ``python -m docs.tools.cost_tables --help``."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace

from docs.tools.costs import Subscription, Use, added_by, bigquery, bill, handover_rate, shards
from docs.tools.prices import DEFAULT_LOCATION, FIRESTORE, ROWS, FirestorePrices

RATES = tuple(10**power for power in range(3, 9))
# The difference from which the sentence of docs/costs.md recommends to hand over.
HANDOVER_DOLLARS = 500.0
FORM = "MESSAGES_A_DAY[:BYTES[:TOKENS[:EXCLUDED]]]"


def table(location: str) -> str:
    """Write the table of docs/costs.md for a Firestore location."""
    return _of_uses(Use((Subscription(rate),), firestore=FIRESTORE[location]) for rate in RATES)


def price_table() -> str:
    """Write the table of the prices."""
    lines = ["| price of | US dollars | for a | copy of | page |", "|---|---:|---|---|---|"]
    for row in ROWS:
        note = f" ({row.note})" if row.note else ""
        amount = f"{row.dollars:.7f}".rstrip("0").rstrip(".")
        lines.append(f"| {row.what} | {amount} | {row.unit} | {row.of}{note} | {row.page} |")
    return "\n".join(lines)


def handover(location: str) -> str:
    """Write the words of docs/costs.md about the rate from which BigQuery is the better place."""
    use = Use((Subscription(1_000_000),), firestore=FIRESTORE[location])
    rate = handover_rate(use, HANDOVER_DOLLARS)
    return (
        f"about {rate:.0f} messages a second ({rate * 86_400 / 1e6:.1f} million a day) a month costs "
        f"${HANDOVER_DOLLARS:,.0f} more than in BigQuery"
    )


def _of_uses(uses: Iterable[Use]) -> str:
    services = "Pub/Sub | Firestore | receiver | viewer | alerts, logs"
    lines = [
        f"| messages a day | {services} | **a month** | in BigQuery | `message_shards` |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for use in uses:
        month = bill(use)
        parts = (month.pubsub, month.firestore, month.receiver, month.viewer, month.observability)
        total = f"**{dollars(month.total)}**"
        cells = [f"{use.messages_per_day:,}", *map(dollars, parts), total, dollars(bigquery(use)), str(shards(use))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _of_subscriptions(use: Use) -> str:
    lines = ["| messages a day | bytes | tokens | adds a month |", "|---:|---:|---:|---:|"]
    for one in use.subscriptions:
        sizes = f"{one.messages_per_day:,} | {one.message_bytes:,} | {one.tokens}"
        lines.append(f"| {sizes} | {dollars(added_by(use, one))} |")
    return "\n".join(lines)


def dollars(amount: float) -> str:
    """Write an amount: with cents below ten dollars."""
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:.2f}"


def subscription(text: str) -> Subscription:
    """Read the numbers of ``FORM``. Raises ArgumentTypeError."""
    try:
        numbers = [int(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 4 or min(numbers) < 0:
        raise argparse.ArgumentTypeError(f"must be {FORM} in whole numbers, found {text!r}")
    return Subscription(*numbers)


def location(text: str) -> FirestorePrices:
    """Read the name of a location, or ``READ,WRITE,DELETE,STORAGE``. Raises ArgumentTypeError."""
    if text in FIRESTORE:
        return FIRESTORE[text]
    try:
        return FirestorePrices(*(float(part) for part in text.split(",")))
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"the prices of {text!r} are not here: known are {', '.join(sorted(FIRESTORE))}. For another location give "
            "READ,WRITE,DELETE,STORAGE from cloud.google.com/firestore/pricing, for example 0.036,0.108,0.012,0.18"
        ) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the costs of the arguments."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.cost_tables", description=__doc__)
    parser.add_argument("--location", type=location, default=DEFAULT_LOCATION, help="of Firestore (%(default)s)")
    parser.add_argument(
        "--subscription",
        type=subscription,
        action="append",
        metavar=FORM,
        help="messages that pass the filter, and those it excludes; repeatable (without it: the rows of docs/costs.md)",
    )
    parser.add_argument("--retention-days", type=int, default=7)
    parser.add_argument("--watched-hours", type=float, default=8.0, help="hours a day with an open page (%(default)s)")
    parser.add_argument("--live-pages", type=int, default=1, help="pages open in these hours (%(default)s)")
    parser.add_argument("--no-free-database", action="store_true", help="another database has the free amounts")
    parser.add_argument("--prices", action="store_true", help="print the list of prices instead")
    options = parser.parse_args(arguments)
    if options.prices:
        print(price_table())
        return
    common = Use(
        (),
        firestore=options.location,
        has_free_database=not options.no_free_database,
        retention_days=options.retention_days,
        watched_hours_per_day=options.watched_hours,
        live_pages=options.live_pages,
    )
    print(_report(common, options.subscription))


def _report(common: Use, subscriptions: list[Subscription] | None) -> str:
    if not subscriptions:
        return _of_uses(replace(common, subscriptions=(Subscription(rate),)) for rate in RATES)
    use = replace(common, subscriptions=tuple(subscriptions))
    return f"{_of_uses([use])}\n\n{_of_subscriptions(use)}"


if __name__ == "__main__":
    main()
