"""The clocks of a machine on which time passes only by work and by sleep."""

from dataclasses import dataclass, field


@dataclass
class Machine:
    """Clocks that only move by work and by sleep."""

    now: float = 100.0
    cpu: float = 7.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def cpu_clock(self) -> float:
        return self.cpu

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.cpu += seconds
