"""``tail``: follow messages as they are stored."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from infra.commands.console import Console
from infra.firestore.reads import Messages, Selection
from infra.message import Cursor, Message, visible

# A message may become visible a little later than a newer one: what was printed is remembered, and read again.
_OVERLAP = timedelta(seconds=10)
_REMEMBERED = 20_000
_POLL_SECONDS = 1.0
_ONCE = 2_000


@click.command()
@click.option(
    "-n", "--lines", type=click.IntRange(0, 500), default=10, show_default=True, help="Begin with the newest N."
)
@click.option("--subscription", default="", help="Only this subscription's messages.")
@click.option(
    "--filter", "token", default="", metavar="KEY=VALUE", help="Only messages with this attribute or data.field."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--no-follow", is_flag=True, help="End after the newest N.")
@click.pass_obj
def tail(console: Console, lines: int, subscription: str, token: str, as_json: bool, no_follow: bool) -> None:
    """Print the newest messages, oldest first, then each new one as it is stored, until Ctrl-C."""
    if token and "=" not in token:
        raise click.BadParameter(f"{token!r} is not KEY=VALUE.", param_hint="--filter")
    messages = Messages(console.database, console.settings.message_shards)
    selection = Selection(subscription, token)
    line = _json if as_json else _text
    for message in _followed(messages, selection, lines, not no_follow):
        click.echo(line(message))


def _followed(messages: Messages, selection: Selection, lines: int, follow: bool) -> Iterator[Message]:
    page = messages.page(selection, limit=max(lines, 1))
    yield from reversed(page[:lines])
    seen = OrderedDict((message.id, None) for message in page)
    newest = page[0].received_at if page else None
    while follow:
        time.sleep(_POLL_SECONDS)
        for message in _fresh(messages, selection, newest):
            if message.id in seen:
                continue
            seen[message.id] = None
            newest = max(newest or message.received_at, message.received_at)
            yield message
        while len(seen) > _REMEMBERED:
            seen.popitem(last=False)


def _fresh(messages: Messages, selection: Selection, newest: datetime | None) -> list[Message]:
    if newest is None:
        return messages.page(selection, limit=_ONCE)[::-1]
    found = messages.since(Cursor(newest - _OVERLAP, "0" * 32), selection, limit=_ONCE)
    if found is None:
        click.echo(f"More than {_ONCE} at once: some are not shown here.", err=True)
        found = messages.page(selection, limit=_ONCE)[::-1]
    return found


def _text(message: Message) -> str:
    chips = " ".join(f"{visible(key)}={visible(value)}" for key, value in message.attributes.items())
    again = f" x{message.deliveries}" if message.deliveries > 1 else ""
    return (
        f"{message.received_at:%Y-%m-%d %H:%M:%S.%f} {message.subscription} {message.message_id} "
        f"{message.kind} {message.size_bytes}B{again} {message.preview} {chips}"
    ).rstrip()


def _json(message: Message) -> str:
    return json.dumps(
        {
            "id": message.id,
            "subscription": message.subscription,
            "message_id": message.message_id,
            "publish_time": message.publish_time.isoformat(),
            "received_at": message.received_at.isoformat(),
            "ordering_key": message.ordering_key,
            "attributes": dict(message.attributes),
            "kind": message.kind,
            "size_bytes": message.size_bytes,
            "deliveries": message.deliveries,
            "preview": message.preview,
        }
    )
