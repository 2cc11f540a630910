"""``publish``: send messages to a topic, once or many times, at a rate."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
from google.pubsub_v1 import types

from infra.cli.context import CommandContext
from infra.pubsub.client import CALL_SECONDS, REQUEST_BYTES, pubsub_errors

_BATCH_MESSAGES = 500  # Pub/Sub takes 1,000
_RATED_REQUESTS_A_SECOND = 10


@click.command()
@click.argument("topic")
@click.argument("data", required=False)
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Send this file.")
@click.option("-a", "--attribute", "pairs", multiple=True, metavar="KEY=VALUE", help="An attribute; may be repeated.")
@click.option("--ordering-key", default="", help="Messages of one key are delivered in order.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many times to send it.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Messages a second; as fast as possible if not given."
)
@click.pass_obj
def publish(
    context: CommandContext,
    topic: str,
    data: str | None,
    file: Path | None,
    pairs: tuple[str, ...],
    ordering_key: str,
    count: int,
    rate: float | None,
) -> None:
    """Publish DATA, a file, or standard input (neither given) to TOPIC, a topic id of the project."""
    message = types.PubsubMessage(
        data=_payload(data, file), attributes=dict(map(_pair, pairs)), ordering_key=ordering_key
    )
    path = f"projects/{context.settings.google_cloud_project}/topics/{topic}"
    ids: list[str] = []
    # Show the progress bar only on a terminal.
    with click.progressbar(
        length=count, label="Publishing", file=sys.stderr, hidden=count == 1 or not sys.stderr.isatty()
    ) as bar:
        for size in _paced(count, message, rate):
            with pubsub_errors(f"publishing to {topic}"):
                reply = context.pubsub.publisher.publish(
                    topic=path, messages=[message] * size, retry=None, timeout=CALL_SECONDS * 3
                )
            ids.extend(reply.message_ids)
            bar.update(size)
    click.echo(f"Published message {ids[0]}." if count == 1 else f"Published {count} messages, {ids[0]} to {ids[-1]}.")


def _payload(data: str | None, file: Path | None) -> bytes:
    if data is not None and file is not None:
        raise click.UsageError("Give DATA or --file, not both.")
    if data is not None:
        return data.encode(errors="surrogateescape")
    return file.read_bytes() if file is not None else sys.stdin.buffer.read()


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE.", param_hint="--attribute")
    return key, value


def _paced(count: int, message: types.PubsubMessage, rate: float | None) -> Iterator[int]:
    """Yield the size of each request when it is time to send it."""
    largest = max(1, min(_BATCH_MESSAGES, REQUEST_BYTES // (types.PubsubMessage.pb(message).ByteSize() + 16)))
    if rate:
        largest = max(1, min(largest, int(rate / _RATED_REQUESTS_A_SECOND)))
    started, sent = time.monotonic(), 0
    while sent < count:
        size = min(largest, count - sent)
        if rate:
            time.sleep(max(0.0, started + sent / rate - time.monotonic()))
        yield size
        sent += size
