"""Store messages without publishing them, at a chosen rate and time."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.support.firestore.writer import Writer
from tests.support.local_cloud import Cloud


def writer_at(cloud: Cloud) -> closing[Writer]:
    """Return a writer to the cloud's Firestore that a ``with`` block closes."""
    return closing(Writer(cloud["firestore"], GOOGLE_CLOUD_PROJECT=cloud["project"]))


@contextmanager
def burst(cloud: Cloud, messages: int, *, per_second: int, batch: int) -> Iterator[list[str]]:
    """Store ``messages`` in batches while the block runs, and finish before it ends; yield their ids as they grow."""
    ids: list[str] = []
    with writer_at(cloud) as writer:
        thread = threading.Thread(target=_write, args=(writer, ids, messages, per_second, batch))
        thread.start()
        try:
            yield ids
        finally:
            thread.join()


def _write(writer: Writer, ids: list[str], messages: int, per_second: int, batch: int) -> None:
    began = time.monotonic()
    while len(ids) < messages:
        time.sleep(max(0.0, began + len(ids) / per_second - time.monotonic()))
        ids += writer.messages(batch)
