"""Pages beside clients that hold their connections: ``python -m tests.benchmarks.half_requests`` (half a minute).

400 clients send half of a request and then one byte a second, 400 others have a stream open. Servers, clients and load
share this machine. It prints and asserts nothing.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.live_feed import firestore_process
from tests.benchmarks.live_streams import people
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import Server, served

HALVES = (
    b"GET /messages HTTP/1.1\r\nHost: h\r\nX: ",
    b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\nusername=",
    b"POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nusername=",
)
PATHS = ("/messages", "/help", "/healthz")


class Load:
    """The clients that hold connections, and their counts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.streams = self.halves = self.refused = 0

    async def drip(self, number: int) -> None:
        """Send half of a request again and again, one byte a second."""
        while True:
            reader, out = await asyncio.open_connection("127.0.0.1", self._port)
            out.write(HALVES[number % len(HALVES)])
            self.halves += 1
            answer = asyncio.create_task(reader.read())
            while not answer.done():
                out.write(b"x")
                await asyncio.wait([answer], timeout=1)
            self.refused += answer.exception() is None and b" 408 " in answer.result()
            out.close()

    async def stream(self, cookie: str) -> None:
        """Open a stream and read it."""
        reader, out = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        out.write(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: subscope={cookie}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        self.streams += b" 200 " in head.split(b"\r\n", 1)[0]
        while await reader.read(65536):
            pass
        out.close()


async def measure(server: Server, cookies: list[str], halves: int, streams: int, seconds: float) -> None:
    """Open the clients, and ask for pages beside them."""
    load = Load(server.port)
    tasks = []
    for number in range(streams):
        tasks.append(asyncio.create_task(load.stream(cookies[number % len(cookies)])))
        await asyncio.sleep(0.005)
    await asyncio.sleep(2)
    await report("beside the streams", server, seconds)
    tasks += [asyncio.create_task(load.drip(number)) for number in range(halves)]
    await asyncio.sleep(1)
    await report("beside both", server, seconds)
    print(f"{load.streams} streams are open; {load.halves} half requests were begun, {load.refused} got 408")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def report(when: str, server: Server, seconds: float) -> None:
    """Ask for each page in turn, and print its times."""
    waits: dict[str, list[float]] = {path: [] for path in PATHS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in PATHS:
            began = time.monotonic()
            status = await asyncio.to_thread(server.status, path)
            waits[path].append(time.monotonic() - began)
            if status != 200:
                print(f"{path} answered {status}")
            await asyncio.sleep(0.02)
    for path, found in waits.items():
        cuts = statistics.quantiles(found, n=20)
        print(f"{when:<20} {path:<10} {len(found):4} times: p50 {cuts[9] * 1e3:5.0f} ms, p95 {cuts[18] * 1e3:5.0f} ms")


def main() -> None:
    """Measure with the given numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--halves", type=int, default=400)
    parser.add_argument("--streams", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=12)
    arguments = parser.parse_args()
    with firestore_process() as address, tempfile.TemporaryDirectory() as directory:
        writer = Writer(address)
        writer.messages(200)
        with served(address, writer, Path(directory), MAX_STREAMS=str(arguments.streams)) as server:
            cookies = people(server, writer)
            asyncio.run(measure(server, cookies, arguments.halves, arguments.streams, arguments.seconds))
        writer.close()


if __name__ == "__main__":
    main()
