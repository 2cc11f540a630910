"""Latencies: the whole chain, the feed beside ``on_snapshot``, many streams, the first page, and inputs in a burst.

Run it with ``python -m tests.benchmarks.live`` (about three minutes; ``--quick`` half a minute). It prints and asserts
nothing. Servers, clients and load share this machine.
"""

import _thread
import argparse
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.live_browser import measure_inputs
from tests.benchmarks.live_chain import measure_chain
from tests.benchmarks.live_feed import measure_feed, measure_on_snapshot
from tests.benchmarks.live_pages import measure_pages
from tests.benchmarks.live_streams import measure_streams

LIMIT_SECONDS = 240


def show(name: str, seconds: Sequence[float], note: str = "") -> None:
    """Return one line: median and 99th percentile in milliseconds."""
    if len(seconds) < 2:
        print(f"{name:<44} nothing arrived {note}", flush=True)
        return
    cuts = statistics.quantiles(seconds, n=100)
    print(f"{name:<44} median {cuts[49] * 1e3:8.1f} ms   p99 {cuts[98] * 1e3:9.1f} ms   {note}", flush=True)


def main() -> None:
    """Measure the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer of them")
    parser.add_argument("--only", choices=("chain", "feed", "streams", "pages", "browser"), help="one part")
    arguments = parser.parse_args()
    seconds = 3 if arguments.quick else 8
    parts: dict[str, Callable[[], None]] = {
        "chain": lambda: chain(seconds),
        "feed": lambda: feeds(seconds, (200, 2_000) if arguments.quick else (200, 1_000, 2_000)),
        "streams": lambda: streams(seconds),
        "pages": lambda: pages((1_000, 10_000) if arguments.quick else (1_000, 100_000)),
        "browser": lambda: inputs(seconds),
    }
    stop = threading.Timer(LIMIT_SECONDS, give_up)
    stop.daemon = True
    stop.start()
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


def chain(seconds: float) -> None:
    """Measure publisher client -> local Pub/Sub -> receiver -> Firestore -> viewer -> frame."""
    with tempfile.TemporaryDirectory() as directory:
        for rate, found in measure_chain(Path(directory), (4, 50), seconds):
            show(f"publish -> SSE frame, {rate}/s", found.seconds, found.note)


def feeds(seconds: float, rates: Sequence[int]) -> None:
    """Measure write -> frame and write -> callback, both on the local Firestore."""
    for rate in rates:
        for name, measure in (("feed", measure_feed), ("on_snapshot", measure_on_snapshot)):
            found = measure(rate, seconds)
            show(f"{name}, {rate}/s", found.seconds, found.note)


def streams(seconds: float) -> None:
    """Measure write -> frame at each of 400 clients of one gunicorn process."""
    with tempfile.TemporaryDirectory() as directory:
        found = measure_streams(Path(directory), 400, 10, seconds)
        show("400 open streams, 10 frames/s each", found.seconds, found.note)


def pages(counts: Sequence[int]) -> None:
    """Measure request -> first byte of the first page by the size of the history, and the page's compressed bytes."""
    with tempfile.TemporaryDirectory() as directory:
        for stored, found in measure_pages(Path(directory), counts):
            show(f"first page, {stored:,} messages stored", found.seconds, found.note)


def inputs(seconds: float) -> None:
    """Measure key or click -> next frame of a list in Chromium while 1,000 messages a second arrive."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            for name, found in measure_inputs(Path(directory), 1_000, seconds).items():
                show(f"{name} -> frame in Chromium, 1,000/s", found.seconds, found.note)
        except RuntimeError as exc:
            print(f"inputs in a burst: {exc}", flush=True)


def give_up() -> None:
    """End a benchmark that hangs, and its children, with a message."""
    print(f"This took over {LIMIT_SECONDS} s; something hangs.", file=sys.stderr, flush=True)
    _thread.interrupt_main()


if __name__ == "__main__":
    main()
