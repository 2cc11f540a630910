"""The receiver beside the usual function: same Firestore, same load, in turn. ``python -m tests.benchmarks.receiver``.

CPU is the function's own processes' (from /proc): what Firestore and the load cost on the same machine does not count.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.signer import Signer
from tests.benchmarks.load import Template, run_load
from tests.functions.firestores import local_firestore
from tests.functions.stage import ACCOUNT, AUDIENCE, EMULATOR_JAR, ROOT, KeyServer, ReceiverProcess, google_emulator

PLAIN = Path(__file__).parent / "plain"
SIZES = {"1 KB": 1000, "100 KB": 100_000}
ATTRIBUTES = {"buildId": "7d1f6c2e-6d3b-4d55-9d53-1f4c8a7e2b10", "status": "SUCCESS"}


@dataclass(frozen=True)
class Measured:
    """One cell of the table."""

    per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.per_second:8.0f} {self.cpu_ms:9.2f} {self.p50_ms:8.1f} {self.p99_ms:8.1f}"

    def ratios(self, plain: "Measured") -> str:
        """How many times better than ``plain``."""
        return (
            f"{self.per_second / plain.per_second:7.1f}x {plain.cpu_ms / self.cpu_ms:8.1f}x "
            f"{plain.p50_ms / self.p50_ms:7.1f}x {plain.p99_ms / self.p99_ms:7.1f}x"
        )


def measure(
    process: ReceiverProcess, template: Template, numbers: Iterator[int], connections: int, seconds: float
) -> Measured:
    """Warm up, then load ``process`` for ``seconds``."""
    asyncio.run(run_load(process.port, template, numbers, connections, 1.0))
    cpu = process.cpu_seconds()
    load = asyncio.run(run_load(process.port, template, numbers, connections, seconds))
    cpu = process.cpu_seconds() - cpu
    count = len(load.seconds)
    if set(load.statuses) != {204}:
        raise SystemExit(f"not every message was stored: {load.statuses}\n{process.log_file.read_text()[-2000:]}")
    quantiles = statistics.quantiles(load.seconds, n=100)
    return Measured(count / load.elapsed_seconds, cpu / count * 1000, quantiles[49] * 1000, quantiles[98] * 1000)


def functions(firestore: str, certs_url: str) -> dict[str, ReceiverProcess]:
    return {
        "plain": ReceiverProcess(firestore, certs_url, directory=PLAIN),
        "ours": ReceiverProcess(firestore, certs_url),
    }


def import_ms(directory: Path, environment: dict[str, str]) -> float:
    """The median time that importing main.py takes in a new interpreter."""
    code = "import time; t=time.perf_counter(); import main; print((time.perf_counter()-t)*1000)"
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return statistics.median(
        float(subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=True).stdout)
        for _ in range(5)
    )


def start_costs(firestore: str, certs_url: str, template: Template) -> None:
    """Print what a cold start costs: import time, and the resident set after the first message."""
    for name, process in functions(firestore, certs_url).items():
        imported = import_ms(process.directory, process.environment())
        process.start()
        try:
            asyncio.run(run_load(process.port, template, iter([0]), 1, 30))
            megabytes = process.rss_bytes() / 1e6
            print(f"{name:6} import of main.py {imported:5.0f} ms, resident after one message {megabytes:5.0f} MB")
        finally:
            process.close()


def compare(
    firestore: str, certs_url: str, token: str, sizes: dict[str, int], connections: list[int], seconds: float
) -> None:
    """Print the table."""
    numbers = itertools.count(1)
    print(f"{'payload':8} {'conn.':>5} {'function':8} {'msgs/s':>8} {'CPU ms/m':>9} {'p50 ms':>8} {'p99 ms':>8}")
    for label, size in sizes.items():
        template = Template(token, size, ATTRIBUTES)
        for count in connections:
            cells = {}
            for name, process in functions(firestore, certs_url).items():
                process.start()
                try:
                    cells[name] = measure(process, template, numbers, count, seconds)
                finally:
                    process.close()
                print(f"{label:8} {count:5} {name:8} {cells[name]}", flush=True)
            print(f"{label:8} {count:5} {'ratio':8} {cells['ours'].ratios(cells['plain'])}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 KB at 32 connections for two seconds")
    parser.add_argument("--local", action="store_true", help="infra/local even where Google's emulator is installed")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--sizes", choices=SIZES, nargs="*", default=list(SIZES))
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    if options.quick:
        options.connections, options.sizes, options.seconds = [32], ["1 KB"], 2.0
    google = EMULATOR_JAR.exists() and not options.local
    signer = Signer()
    with contextlib.ExitStack() as stack:
        keys = KeyServer(signer)
        stack.callback(keys.close)
        firestore = stack.enter_context(google_emulator() if google else local_firestore())
        print(
            f"Firestore: {'Google' if google else 'infra/local'}; it and the load share {os.cpu_count()} cores with us"
        )
        token = signer.push_token(ACCOUNT, AUDIENCE)
        start_costs(firestore, keys.url, Template(token, 1000, ATTRIBUTES))
        compare(firestore, keys.url, token, {s: SIZES[s] for s in options.sizes}, options.connections, options.seconds)


if __name__ == "__main__":
    main()
