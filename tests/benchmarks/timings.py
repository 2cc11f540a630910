"""Results of the stream's latency benchmarks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """The latencies of distinct messages that arrived, and a remark."""

    seconds: list[float]
    note: str


def arrived(sent: dict[str, float], got: dict[str, float]) -> Found:
    """Return the latencies of messages that arrived; both map ids to times of this machine's monotonic clock."""
    seconds = [got[one] - sent[one] for one in sent if one in got]
    return Found(seconds, f"{len(seconds)} of {len(sent)} arrived")
