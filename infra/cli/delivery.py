"""``status``, ``start`` and ``stop``: delivery as the viewer's switch does it, with the same audit."""

from datetime import datetime

import click

from infra.cli.context import CommandContext
from infra.pubsub.delivery_state import Delivery


@click.command()
@click.pass_obj
def status(console: CommandContext) -> None:
    """Show each monitored subscription's delivery state, read from the subscription itself."""
    deliveries = console.needing("SUBSCRIPTIONS").subscriptions.observe_all()
    for delivery in deliveries:
        _print(delivery)
    if any(delivery.state not in ("receiving", "stopped") for delivery in deliveries):
        raise SystemExit(1)


@click.command()
@click.argument("subscription", required=False)
@click.pass_obj
def start(console: CommandContext, subscription: str | None) -> None:
    """Start delivery of SUBSCRIPTION for everyone. It may be left out when only one is monitored."""
    console = console.needing("SUBSCRIPTIONS", "PUSH_ENDPOINT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT")
    _print(console.subscriptions.start(console.one_subscription(subscription), console.who))


@click.command()
@click.argument("subscription", required=False)
@click.pass_obj
def stop(console: CommandContext, subscription: str | None) -> None:
    """Stop delivery of SUBSCRIPTION for everyone; messages wait in Pub/Sub."""
    console = console.needing("SUBSCRIPTIONS", "PUSH_ENDPOINT")
    _print(console.subscriptions.stop(console.one_subscription(subscription), console.who))


def _print(delivery: Delivery) -> None:
    words = [f"{delivery.subscription}: {delivery.state}"]
    if delivery.push_endpoint:
        words.append(f"to {delivery.push_endpoint}")
    if delivery.changed_at:
        words.append(f"since {_minute(delivery.changed_at)}, by {delivery.changed_by or 'somebody outside Subscope'}")
    click.echo(" ".join(words))
    for warning in delivery.warnings:
        click.echo(f"  {warning}", err=True)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
