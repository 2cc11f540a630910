"""``tail``: follow messages as they are stored."""

import json
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from infra.cli.context import CommandContext
from infra.firestore.message_reader import MessageReader, Selection
from infra.firestore.search import SearchBounds, narrowed, search
from infra.messages.cursor import Cursor
from infra.messages.message import Message
from infra.messages.record import summary
from infra.messages.visible_text import is_visible, visible
from infra.query import Query, QueryError, parse

# A message can become visible a little later than a newer one. So the last seconds are read again, and printed messages
# are remembered.
_OVERLAP = timedelta(seconds=10)
_MAX_REMEMBERED = 20_000
_POLL_SECONDS = 1.0
_MAX_READ = 2_000
_LOOK_BACK = SearchBounds(messages=10_000, seconds=10.0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@click.command()
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
    narrow = narrowed(selection, query)
    # Firestore's clock, not this machine's. Read first, so that a message that arrives after this is never skipped.
    newest = next((message.received_at for message in messages.page(narrow, limit=1)), _EPOCH)
    known = _recent(messages, narrow, newest)[0] if follow else []
    seen = OrderedDict((message.id, None) for message in known if message.received_at <= newest)
    shown = _last(messages, selection, query, lines) if lines else []
    yield from shown
    seen.update((message.id, None) for message in shown)
    while follow:
        time.sleep(_POLL_SECONDS)
        recent, is_complete = _recent(messages, narrow, newest)
        if not is_complete:
            click.echo(f"More than {_MAX_READ} new messages at once: some are not shown.", err=True)
        for message in recent:
            newest = max(newest, message.received_at)
            if message.id in seen or not query.matches(message):
                continue
            seen[message.id] = None
            yield message
        while len(seen) > _MAX_REMEMBERED:
            seen.popitem(last=False)


def _last(messages: MessageReader, selection: Selection, query: Query, lines: int) -> list[Message]:
    """Return the newest matches, oldest first; print how far back the search went if there can be more."""
    result = search(messages, selection, query, limit=lines, bounds=_LOOK_BACK)
    if result.older and len(result.messages) < lines:
        back_to = f"{result.older.at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"Looked at {result.looked_at:,} messages, back to {back_to}.", err=True)
    return result.messages[::-1]


def _recent(messages: MessageReader, selection: Selection, newest: datetime) -> tuple[list[Message], bool]:
    """Return the messages since shortly before ``newest``, oldest first, and whether they are all."""
    recent = messages.since(Cursor(max(_EPOCH + _OVERLAP, newest) - _OVERLAP, "0" * 32), selection, limit=_MAX_READ)
    if recent is None:
        return messages.page(selection, limit=_MAX_READ)[::-1], False
    return recent, True


def _text(message: Message) -> str:
    chips = " ".join(f"{visible(key)}={visible(value)}" for key, value in message.attributes.items())
    repeated = f" x{message.deliveries}" if message.deliveries > 1 else ""
    return (
        f"{message.received_at:%Y-%m-%d %H:%M:%S.%f} {message.subscription} {message.message_id} "
        f"{message.kind} {message.size_bytes}B{repeated} {message.preview} {chips}"
    ).rstrip()


def _json(message: Message) -> str:
    return json.dumps(summary(message))
