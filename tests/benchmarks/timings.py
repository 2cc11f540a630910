"""What a latency benchmark of the stream found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """Latencies of what arrived, one for each distinct message, and a remark."""

    seconds: list[float]
    note: str


def arrived(sent: dict[str, float], got: dict[str, float]) -> Found:
    """Latencies of the messages that arrived; both map ids to times of this machine's monotonic clock."""
    seconds = [got[one] - sent[one] for one in sent if one in got]
    return Found(seconds, f"{len(seconds)} of {len(sent)} arrived")
