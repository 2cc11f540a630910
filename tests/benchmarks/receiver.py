"""The receiver beside the plain function: same Firestore, same load, in turn. ``python -m tests.benchmarks.receiver``.

CPU is that of the function's processes (from /proc), without Firestore and the load on the same machine.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from infra.local.token_signer import Signer
from tests.benchmarks.load import Template, many_steps, one_text, run_load
from tests.support.firestore.servers import EMULATOR_JAR, google_emulator, local_firestore
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ROOT, ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE

PLAIN = Path(__file__).parent / "plain"
PAYLOADS = {"1 KB": one_text(1000), "100 KB": one_text(100_000), "100 KB steps": many_steps(100_000)}
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
        """Return how many times better than ``plain`` it is."""
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


def import_ms(process: ReceiverProcess) -> float:
    """Return the CPU time that a new interpreter takes to import main.py."""
    code = "import time; t=time.process_time(); import main; print((time.process_time()-t)*1000)"
    environment = {**process.environment(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=process.directory, env=environment, capture_output=True, check=True)
    return float(done.stdout)


def start_costs(firestore: str, certs_url: str, template: Template) -> None:
    """Print the cost of a cold start: import time, and the resident set after the first message."""
    processes = functions(firestore, certs_url)
    rounds = [{name: import_ms(process) for name, process in processes.items()} for _ in range(7)]
    for name, process in processes.items():
        imported = statistics.median(one[name] for one in rounds)
        process.start()
        try:
            asyncio.run(run_load(process.port, template, iter([0]), 1, 30))
            megabytes = process.rss_bytes() / 1e6
            print(f"{name:6} import of main.py {imported:5.0f} ms, resident after one message {megabytes:5.0f} MB")
        finally:
            process.close()


def row(firestore: str, certs_url: str, template: Template, connections: int, plan: "Plan") -> dict[str, Measured]:
    """Measure both functions in turn on one Firestore, ``plan.rounds`` times; return the medians."""
    numbers = itertools.count(1)
    rounds: dict[str, list[Measured]] = {"plain": [], "ours": []}
    for _ in range(plan.rounds):
        for name, process in functions(firestore, certs_url).items():
            process.start()
            try:
                rounds[name].append(measure(process, template, numbers, connections, plan.seconds))
            finally:
                process.close()
    return {name: median(measured) for name, measured in rounds.items()}


def median(measured: list[Measured]) -> Measured:
    """Return the median of each number."""
    return Measured(*(statistics.median(column) for column in zip(*map(astuple, measured), strict=True)))


@dataclass(frozen=True)
class Goal:
    """How many times better than the plain function the receiver must be, with messages of 1 KB."""

    per_second: float
    cpu: float


# Many connections share calls. A single one cannot, and must not be slower for it.
GOALS = {32: Goal(per_second=4, cpu=5), 1: Goal(per_second=1, cpu=1)}


def misses(connections: int, cells: dict[str, Measured]) -> list[str]:
    """Return a sentence for each part of the goal for ``connections`` that ``cells`` miss."""
    ours, plain, goal = cells["ours"], cells["plain"], GOALS[connections]
    found = {
        "messages a second": (ours.per_second / plain.per_second, goal.per_second),
        "messages per second of CPU": (plain.cpu_ms / ours.cpu_ms, goal.cpu),
    }
    return [
        f"1 KB at {connections} connections: {ratio:.2f} times the {what}; the goal is {wanted:g}"
        for what, (ratio, wanted) in found.items()
        if ratio < wanted
    ]


@dataclass(frozen=True)
class Plan:
    """The measurements, and their Firestore; ``attempt`` is Pub/Sub's count, None if it sends none."""

    google: bool
    sizes: list[str]
    connections: list[int]
    seconds: float
    rounds: int
    attempt: int | None = 1
    checked: bool = False

    def firestore(self) -> contextlib.AbstractContextManager[str]:
        """Run an empty Firestore."""
        return google_emulator() if self.google else local_firestore()


def compare(certs_url: str, token: str, plan: Plan) -> list[str]:
    """Print the table; return the goals that a checked plan missed.

    Each row has a new Firestore: a full one is slower and keeps its memory.
    """
    missed = []
    print(f"{'payload':12} {'conn.':>5} {'function':8} {'msgs/s':>8} {'CPU ms/m':>9} {'p50 ms':>8} {'p99 ms':>8}")
    for label, connections in itertools.product(plan.sizes, plan.connections):
        with plan.firestore() as firestore:
            template = Template(token, PAYLOADS[label], ATTRIBUTES, plan.attempt)
            cells = row(firestore, certs_url, template, connections, plan)
        for name, measured in cells.items():
            print(f"{label:12} {connections:5} {name:8} {measured}")
        print(f"{label:12} {connections:5} {'ratio':8} {cells['ours'].ratios(cells['plain'])}", flush=True)
        if plan.checked:
            missed += misses(connections, cells)
    return missed


def plan_of(arguments: list[str] | None = None) -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.receiver", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 KB at 32 connections for two seconds")
    parser.add_argument("--local", action="store_true", help="infra/local even where Google's emulator is installed")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 8, 32, 128])
    parser.add_argument("--sizes", choices=PAYLOADS, nargs="*", default=list(PAYLOADS))
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement, after one to warm up")
    parser.add_argument("--rounds", type=int, help="measurements of each cell, of which the median is shown")
    parser.add_argument("--attempt", type=int, default=1, help="deliveryAttempt of every push; 0 sends none")
    parser.add_argument("--check", action="store_true", help="1 KB at 32 and at 1; exit with 1 when a goal is missed")
    options = parser.parse_args(arguments)
    attempt = options.attempt or None
    google = EMULATOR_JAR.exists() and shutil.which("java") is not None and not options.local
    if options.quick:
        return Plan(google, ["1 KB"], [32], 2.0, 1, attempt)
    if options.check:
        return Plan(google, ["1 KB"], list(GOALS), options.seconds, options.rounds or 3, attempt, checked=True)
    return Plan(google, options.sizes, options.connections, options.seconds, options.rounds or 1, attempt)


def main() -> None:
    plan = plan_of()
    signer = Signer()
    keys = KeyServer(signer)
    token = signer.push_token(ACCOUNT, AUDIENCE)
    which = "Google's emulator" if plan.google else "infra/local"
    print(f"Firestore: {which}; it and the load share {os.cpu_count()} cores with the function")
    try:
        with plan.firestore() as firestore:
            start_costs(firestore, keys.url, Template(token, PAYLOADS["1 KB"], ATTRIBUTES))
        missed = compare(keys.url, token, plan)
    finally:
        keys.close()
    if missed:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
