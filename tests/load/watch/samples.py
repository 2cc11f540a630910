"""One sample a second, and the line that is printed for it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.watch.processes import Usage


@dataclass(frozen=True)
class Sample:
    """The state of a run after ``second`` seconds. Latencies are in seconds, None without an event."""

    second: float
    at: float
    published: int
    acknowledged: int
    refused: int
    push: tuple[float, ...]
    to_client: tuple[float, ...]
    backlog: int
    streams: int
    receiver: Usage
    viewer: Usage
    cloud: Usage

    def line(self) -> str:
        """Return the sample as one line for a terminal."""
        push = " / ".join(f"{1000 * value:.0f}" for value in self.push) or "-"
        client = f"{1000 * self.to_client[1]:.0f}" if self.to_client else "-"
        services = (self.receiver, self.viewer)
        return (
            f"{self.second:5.0f} s  {self.published:4d} published, {self.acknowledged:4d} acknowledged, "
            f"{self.refused:3d} refused  push p50/95/99 {push} ms, to client p95 {client} ms  "
            f"RSS {' + '.join(f'{one.rss_bytes / 2**20:.0f}' for one in services)} MB, "
            f"threads {' + '.join(str(one.threads) for one in services)}, "
            f"files {' + '.join(str(one.files) for one in services)}, "
            f"backlog {self.backlog}, streams {self.streams}"
        )


def percentiles(values: Sequence[float]) -> tuple[float, ...]:
    """Return the 50th, 95th and 99th percentile; () without values."""
    if not values:
        return ()
    if len(values) == 1:
        return (values[0],) * 3
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return one percentile; 0 without values."""
    found = percentiles(values)
    return found[{50: 0, 95: 1, 99: 2}[percent]] if found else 0.0
