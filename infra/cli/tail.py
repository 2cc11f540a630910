"""``tail``: follow messages as they are stored."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from infra.cli.command_types import Command
from infra.cli.context import CommandContext
from infra.cli.follow import MAX_READ, Follower
from infra.firestore.message_reader import MessageReader, Selection
from infra.firestore.search import SearchBounds, narrowed, search
from infra.messages.message import Message
from infra.messages.record import summary
from infra.messages.severity import severity_of
from infra.messages.visible_text import is_visible, visible
from infra.query import Query, QueryError, parse
from infra.query.explain import hints

_POLL_SECONDS = 1.0
_LOOK_BACK = SearchBounds(messages=10_000, seconds=10.0)


@click.command(cls=Command)
@click.option(
    "-n", "--lines", type=click.IntRange(0, 500), default=10, show_default=True, help="Begin with the newest N."
)
@click.option("--subscription", default="", help="Only this subscription's messages.")
@click.option("--filter", "text", default="", metavar="QUERY", help="Only messages that match, as in the search box.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--no-follow", is_flag=True, help="End after the newest N.")
@click.pass_obj
def tail(context: CommandContext, lines: int, subscription: str, text: str, as_json: bool, no_follow: bool) -> None:
    """Print the newest messages, oldest first, then each new one as it is stored, until Ctrl-C.

    QUERY is for example 'status=FAILURE after:10m' or '-type=heartbeat "connection refused"'; see
    docs/filter-language.md.
    """
    query = _query(text)
    for hint in hints(query):
        click.echo(visible(hint), err=True)
    _check(subscription, context)
    messages = MessageReader(context.database, context.settings.message_shards, context.settings.subscriptions)
    line = _json if as_json else _text
    for message in _followed(messages, Selection(subscription), query, lines, not no_follow):
        click.echo(line(message))


def _check(subscription: str, context: CommandContext) -> None:
    known = context.settings.subscriptions
    if subscription and known and subscription not in known:
        problem = f"{subscription!r} is not monitored here; SUBSCRIPTIONS names {', '.join(known)}"
        raise click.BadParameter(problem, param_hint="--subscription")


def _query(text: str) -> Query:
    try:
        return parse(text, datetime.now(UTC))
    except QueryError as exc:
        pointer = f"\n  {text}\n  {' ' * (exc.column - 1)}^" if is_visible(text) else ""
        raise click.BadParameter(f"at column {exc.column}, {exc.problem}{pointer}", param_hint="--filter") from exc


def _followed(
    messages: MessageReader, selection: Selection, query: Query, lines: int, follow: bool
) -> Iterator[Message]:
    # Made first, so that a message that arrives while the newest are read is never skipped.
    follower = Follower(messages, narrowed(selection, query)) if follow else None
    shown = _last(messages, selection, query, lines) if lines else []
    yield from shown
    if follower is None:
        return
    follower.remember(shown)
    while True:
        time.sleep(_POLL_SECONDS)
        yield from filter(query.matches, follower.poll())
        if follower.has_missed:
            click.echo(f"More than {MAX_READ:,} new messages at once: some are not shown.", err=True)


def _last(messages: MessageReader, selection: Selection, query: Query, lines: int) -> list[Message]:
    """Return the newest matches, oldest first; print how far back the search went if there can be more."""
    result = search(messages, selection, query, limit=lines, bounds=_LOOK_BACK)
    if result.older and len(result.messages) < lines:
        back_to = f"{result.older.at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"Looked at {result.looked_at:,} messages, back to {back_to}.", err=True)
    return result.messages[::-1]


def _text(message: Message) -> str:
    """Return one line; a terminal would obey control characters in any part of it."""
    chips = " ".join(f"{key}={value}" for key, value in message.attributes.items())
    repeated = f" x{message.deliveries}" if message.deliveries > 1 else ""
    stated = f" {severity}" if (severity := severity_of(message)) else ""
    line = (
        f"{message.received_at:%Y-%m-%d %H:%M:%S.%f} {message.subscription} {message.message_id} "
        f"{message.kind}{stated} {message.size_bytes}B{repeated} {message.preview} {chips}"
    )
    return visible(line.rstrip())


def _json(message: Message) -> str:
    return json.dumps(summary(message))
