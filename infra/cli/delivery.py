"""``status``, ``start`` and ``stop``: the viewer's delivery switch as commands, with the same audit."""

from datetime import datetime

import click

from infra.cli.command_types import Command
from infra.cli.context import CommandContext
from infra.messages.visible_text import visible
from infra.pubsub.delivery_state import Delivery


@click.command(cls=Command)
@click.pass_obj
def status(context: CommandContext) -> None:
    """Show each monitored subscription's delivery state, read from the subscription itself."""
    deliveries = context.requiring("SUBSCRIPTIONS").delivery_control.observe_all()
    for delivery in deliveries:
        _print(delivery)
    if any(delivery.state not in ("receiving", "stopped") for delivery in deliveries):
        raise SystemExit(1)


@click.command(cls=Command)
@click.argument("subscription", required=False)
@click.pass_obj
def start(context: CommandContext, subscription: str | None) -> None:
    """Start delivery of SUBSCRIPTION for everyone. It can be left out if only one is monitored."""
    context = context.requiring("SUBSCRIPTIONS", "PUSH_ENDPOINT", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT")
    _print(context.delivery_control.start(context.choose_subscription(subscription), context.who))


@click.command(cls=Command)
@click.argument("subscription", required=False)
@click.pass_obj
def stop(context: CommandContext, subscription: str | None) -> None:
    """Stop delivery of SUBSCRIPTION for everyone; messages wait in Pub/Sub."""
    context = context.requiring("SUBSCRIPTIONS", "PUSH_ENDPOINT")
    _print(context.delivery_control.stop(context.choose_subscription(subscription), context.who))


def _print(delivery: Delivery) -> None:
    words = [f"{delivery.subscription}: {delivery.state}"]
    if delivery.push_endpoint:
        words.append(f"to {delivery.push_endpoint}")
    if delivery.changed_at:
        words.append(f"since {_seconds(delivery.changed_at)}, by {delivery.changed_by or 'a change outside Subscope'}")
    click.echo(visible(" ".join(words)))
    if delivery.filter:
        click.echo(f"  filter: {visible(delivery.filter)}")
    for warning in delivery.warnings:
        click.echo(f"  {visible(warning)}", err=True)


def _seconds(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
