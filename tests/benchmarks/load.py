"""A cheap load generator: raw connections send prebuilt requests one after another and time the answers."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.receiver.push import envelope

_ID = "0000000000"


@dataclass(frozen=True)
class Load:
    """The result of one run, with the ``seconds`` of each request."""

    statuses: dict[int, int]
    seconds: list[float]
    elapsed_seconds: float


def one_text(size_bytes: int) -> bytes:
    """Return a JSON payload of a size, most of it a single text."""
    begin = b'{"id": "7d1f", "status": "SUCCESS", "steps": 4, "text": "'
    return begin + b"x" * (size_bytes - len(begin) - 2) + b'"}'


def many_steps(size_bytes: int) -> bytes:
    """Return a JSON payload of about a size, as Cloud Build writes it: many small values in many objects."""
    step = {
        "name": "gcr.io/cloud-builders/docker",
        "args": ["build", "-t", "image", "."],
        "timing": {"startTime": "2026-01-02T03:04:05.678Z", "endTime": "2026-01-02T03:04:06.678Z"},
        "status": "SUCCESS",
    }
    steps = [step] * (size_bytes // len(json.dumps(step)))
    return json.dumps({"id": "7d1f", "status": "SUCCESS", "steps": steps}).encode()


class Template:
    """A push of ``data`` with room for a message id of fixed length, so that the measurement encodes nothing.

    ``attempt`` is Pub/Sub's own count, which it sends when the subscription has a dead-letter policy; None sends none.
    """

    def __init__(self, token: str, data: bytes, attributes: dict[str, str], attempt: int | None = 1) -> None:
        counted = {} if attempt is None else {"deliveryAttempt": attempt}
        body = json.dumps(envelope(_ID, data, attributes) | counted).encode()
        head = (
            "POST / HTTP/1.1\r\nHost: receiver\r\nUser-Agent: APIs-Google; (+https://developers.google.com/webmasters)\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._parts = (head.encode() + body).split(_ID.encode())

    def request(self, number: int) -> bytes:
        return b"%010d".join(part.replace(b"%", b"%%") for part in self._parts) % ((number,) * (len(self._parts) - 1))


async def run_load(port: int, template: Template, numbers: Iterator[int], connections: int, seconds: float) -> Load:
    """Send until ``numbers`` end or ``seconds`` have passed."""
    times: list[float] = []
    statuses: dict[int, int] = {}
    deadline = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                request = template.request(number)
                start = time.perf_counter()
                if start > deadline:
                    return
                writer.write(request)
                reply = await reader.readuntil(b"\r\n\r\n")
                times.append(time.perf_counter() - start)
                status = int(reply[9:12])
                statuses[status] = statuses.get(status, 0) + 1
                if status != 204:
                    return
        finally:
            writer.close()

    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(one())
    return Load(statuses, times, time.perf_counter() - start)
