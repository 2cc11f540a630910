"""Counts, groups and facets over 100,000 stored messages on this machine's local cloud.

Run it with ``python -m tests.benchmarks.facets``. It prints and asserts nothing. Node.js, where it is installed, counts
the fields of loaded rows.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

from tests.benchmarks.live_pages import sign_in
from tests.support.firestore.writer import Writer
from tests.support.local_cloud import ROOT, Cloud, start_cloud

STORED, BATCH, ROUNDS = 100_000, 400, 15
SERVICES, TERMS = 40, 30
LOADED = 10_000
SCRIPT = """
import { facetsOf } from "./web/static/js/core/facets.js";
const count = Number(process.argv[2]);
const line = (row) => (_, field) => (field ? `field${field}\\tvalue${row % (field + 2)}` : `id\\t${row}abcdef`);
const rows = Array.from({ length: count }, (_, row) => Array.from({ length: 12 }, line(row)).join("\\n"));
for (let round = 0; round < 15; round += 1) {
  const began = performance.now();
  facetsOf(rows);
  console.log(performance.now() - began);
}
"""


def fill(writer: Writer) -> None:
    for first in range(0, STORED, BATCH):
        service = f"service-{first // BATCH % SERVICES}"
        writer.messages(
            BATCH,
            attributes={"service": service, "severity": "INFO"},
            tokens=["severity=INFO", f"service={service}", "data.status=200"],
            kind="json",
            severity="INFO",
        )


def timed(label: str, call: Callable[[int], object]) -> None:
    seconds = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        call(number)
        seconds.append(time.perf_counter() - began)
    first, *others = seconds
    slowest = max(others)
    print(
        f"  {label:52} first {first:6.3f} s, then median {statistics.median(others):6.3f} s, slowest {slowest:6.3f} s"
    )


def measure(cloud: Cloud, cookie: str) -> None:
    connection = HTTPConnection(urllib.parse.urlsplit(cloud["viewer"]).netloc, timeout=30)

    def get(path: str, accept: str = "text/html") -> None:
        headers = {"Cookie": cookie, "Accept": accept, "Sec-Fetch-Site": "same-origin"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"

    def counts(number: int) -> None:
        # Another filter each time: the same one would be answered from memory for ten seconds.
        terms = [("term", f"service=service-{one}") for one in range(TERMS)]
        get("/facets/counts?" + urllib.parse.urlencode([("q", f"after:{100 + number}m"), *terms]), "application/json")

    timed(f"{TERMS} exact counts", counts)
    timed("table of a field", lambda _: get("/groups?by=service"))
    timed("first page", lambda _: get("/messages"))
    timed("timeline of 24 hours by severity", lambda _: get("/timeline?span=24h&stack=%3Aseverity"))


def count_loaded() -> None:
    node = shutil.which("node")
    if not node:
        print("  Node.js is not installed here: facets of loaded rows are not measured.")
        return
    command = [node, "--input-type=module", "-", str(LOADED)]
    done = subprocess.run(command, input=SCRIPT, capture_output=True, text=True, check=True, cwd=ROOT)
    first, *others = [float(line) / 1000 for line in done.stdout.split()]
    label = f"facets of {LOADED:,} loaded messages"
    print(f"  {label:52} first {first:6.3f} s, then median {statistics.median(others):6.3f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, start_cloud(Path(directory)) as cloud:
        writer = Writer(cloud["firestore"], GOOGLE_CLOUD_PROJECT=cloud["project"])
        # The subscription of the writer is another one than the cloud's: counts of all subscriptions include it.
        fill(writer)
        writer.close()
        print(f"{STORED:,} stored messages")
        measure(cloud, sign_in(cloud))
    count_loaded()


if __name__ == "__main__":
    main()
