"""Many open streams on one gunicorn process: write -> frame, at every client."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.live_feed import firestore_process
from tests.benchmarks.timings import Found
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import Server, served
from web.access.places import SHARES

_ID = re.compile(rb'"id":"([0-9a-f]{32})"')
PATIENCE_SECONDS = 2.0


def measure_streams(directory: Path, streams: int, rate: int, seconds: float) -> Found:
    """Write at a rate and read at ``clients`` clients."""
    with firestore_process() as address:
        writer = Writer(address)
        with served(address, writer, directory, MAX_STREAMS=str(streams)) as server:
            cookies = people(server, writer)
            found = asyncio.run(_measure(server.port, cookies, writer, streams, rate, seconds))
        writer.close()
    return found


def people(server: Server, writer: Writer) -> list[str]:
    """Return the cookies of enough users to fill all slots with their shares."""
    cookies = []
    for number in range(SHARES):
        server.sign_in(writer, f"person{number}-")
        cookies.append(server.cookie)
    return cookies


async def _measure(port: int, cookies: list[str], writer: Writer, streams: int, rate: int, seconds: float) -> Found:
    sent: dict[bytes, float] = {}
    arrivals: list[tuple[bytes, float]] = []  # a frame can arrive before the reply to its write
    opened = 0

    async def read(cookie: str) -> None:
        nonlocal opened
        reader, out = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        out.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: subscope={cookie}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n", 1)[0], head.decode()
        opened += 1
        rest = b""
        try:
            while chunk := await reader.read(65536):
                now = time.monotonic()
                chunk = rest + chunk
                found = list(_ID.finditer(chunk))
                arrivals.extend((match.group(1), now) for match in found)
                rest = chunk[max(found[-1].end() if found else 0, len(chunk) - 40) :]
        finally:
            out.close()

    readers = []
    for number in range(streams):
        readers.append(asyncio.create_task(read(cookies[number % len(cookies)])))
        await asyncio.sleep(0.005)
    await _until(lambda: opened == streams, 60, f"opening {streams} streams")
    await asyncio.sleep(1)
    await _write_evenly(sent, writer, rate, seconds)
    await asyncio.sleep(PATIENCE_SECONDS)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    delays = [at - sent[one] for one, at in arrivals if one in sent]
    return Found(delays, f"{len(delays)} of {len(sent) * streams} frames arrived")


async def _write_evenly(sent: dict[bytes, float], writer: Writer, rate: int, seconds: float) -> None:
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        now = time.monotonic()
        sent[(await asyncio.to_thread(writer.message)).encode()] = now


async def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        await asyncio.sleep(0.05)
