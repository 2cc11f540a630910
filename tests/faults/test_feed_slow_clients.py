"""Clients that do not read cost bounded memory and delay no other client."""

import time
from pathlib import Path

import pytest

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import DeafClient, HttpClient, served
from tests.support.waiting import wait_until

DEAF = 50  # within one user's share of the slots
MESSAGES = 6_000


@pytest.mark.slow
def test_clients_that_never_read_cost_little_memory_and_delay_no_others(tmp_path: Path) -> None:
    firestore = LocalFirestore()
    writer = Writer(firestore.address)
    with served(firestore.address, writer, tmp_path, MAX_STREAMS="240") as server:
        client = HttpClient(server)
        deaf = [DeafClient(server) for _ in range(DEAF)]
        warm = writer.messages(200)
        wait_until(lambda: set(warm) <= set(client.ids()), "the first messages' arrival")
        before, sent, delays = server.rss_bytes(), list(warm), []
        while len(sent) < MESSAGES:
            began = time.monotonic()
            sent += (written := writer.messages(100))
            wait_until(lambda last=written[-1]: last in client.ids()[-400:], "arrival at the client that reads")  # type: ignore[misc]
            delays.append(time.monotonic() - began)
        wait_until(lambda: set(sent) <= set(client.ids()), "every message's arrival")
        grown = server.rss_bytes() - before
        assert grown < 100 * 1024 * 1024, f"memory grew by {grown / 2**20:.0f} MiB"
        assert sorted(delays)[int(len(delays) * 0.95)] < 2
        client.close()
        for one in deaf:
            one.close()
    writer.close()
    firestore.close()
