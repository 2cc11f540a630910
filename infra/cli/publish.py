"""``publish``: send messages to a topic, once or many times, at a rate."""

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from google.pubsub_v1 import types

from infra.cli.command_types import Command
from infra.cli.context import CommandContext, standard_input
from infra.errors import InputError
from infra.pubsub.client import CALL_SECONDS, REQUEST_BYTES, pubsub_errors
from infra.pubsub.publisher import MAX_DATA_BYTES

_BATCH_MESSAGES = 500  # Pub/Sub takes 1,000
_RATED_REQUESTS_A_SECOND = 10
_MIN_RATE = 0.001


class Bytes(click.ParamType[bytes]):
    """Any bytes, as the shell passed them."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Return the bytes of an argument."""
        return value if isinstance(value, bytes) else os.fsencode(value)


class Rate(click.FloatRange):
    """A finite number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; ``nan`` is neither below a bound nor above one."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number of messages a second.", param, ctx)
        return number


@click.command(cls=Command)
@click.argument("topic")
@click.argument("data", required=False, type=Bytes())
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Send this file.")
@click.option("-a", "--attribute", "pairs", multiple=True, metavar="KEY=VALUE", help="An attribute; may be repeated.")
@click.option("--ordering-key", default="", help="Messages of one key are delivered in order.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many times to send it.")
@click.option("--rate", type=Rate(_MIN_RATE), help="Messages a second; as fast as possible if not given.")
@click.pass_obj
def publish(
    context: CommandContext,
    topic: str,
    data: bytes | None,
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
    first = last = ""
    # Show the progress bar only on a terminal.
    with click.progressbar(
        length=count, label="Publishing", file=sys.stderr, hidden=count == 1 or not sys.stderr.isatty()
    ) as bar:
        for size in _paced(count, message, rate):
            with pubsub_errors(f"publishing to {topic}"):
                reply = context.pubsub.publisher.publish(
                    topic=path, messages=[message] * size, retry=None, timeout=CALL_SECONDS * 3
                )
            first, last = first or reply.message_ids[0], reply.message_ids[-1]
            bar.update(size)
    click.echo(f"Published message {first}." if count == 1 else f"Published {count} messages, {first} to {last}.")


def _payload(data: bytes | None, file: Path | None) -> bytes:
    if data is not None and file is not None:
        raise click.UsageError("Give DATA or --file, not both.")
    if data is None:
        name = "standard input" if file is None else f"--file {file}"
        try:
            # One byte more than Pub/Sub takes tells that there is too much, also of a source without an end.
            with standard_input() if file is None else file.open("rb") as source:
                data = source.read(MAX_DATA_BYTES + 1)
        except OSError as exc:
            raise InputError(name, f"cannot be read: {exc.strerror or exc}.") from exc
        if len(data) > MAX_DATA_BYTES:
            raise InputError(name, f"has more than {MAX_DATA_BYTES:,} bytes, which is what Pub/Sub takes.")
    return data


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
