"""Bound the CPU cost of a call on machines of any speed: against a fixed loop that runs in the same process."""

import time
from collections.abc import Callable

_LOOP_STEPS = 300_000


def assert_cheap(work: Callable[[], object], loops: float, tries: int = 5) -> None:
    """Assert that one call of ``work`` takes at most ``loops`` times the CPU time of a loop of 300,000 steps.

    The loop takes about 10 ms of CPU on a machine of 2026. The fastest of ``tries`` counts, so that other processes on
    the machine do not matter; a call that is quadratic instead of linear exceeds any bound by far.
    """
    ratios = []
    for _ in range(tries):
        ratios.append(_cpu_seconds(work) / _cpu_seconds(_loop))
        if ratios[-1] <= loops:
            return
    raise AssertionError(f"the call took {min(ratios):.2f} times the CPU time of the loop; at most {loops} is allowed")


def _loop() -> None:
    for _ in range(_LOOP_STEPS):
        pass


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start
