"""The receiver's benchmark reports missed goals."""

from dataclasses import replace

import pytest

from tests.benchmarks.receiver import GOALS, Measured, misses, plan_of

PLAIN = Measured(per_second=100, cpu_ms=10, p50_ms=10, p99_ms=20)
FAST = Measured(per_second=410, cpu_ms=1.9, p50_ms=2, p99_ms=4)


@pytest.mark.parametrize(
    ("connections", "ours", "missed"),
    [
        (32, FAST, []),
        (32, replace(FAST, per_second=390), ["3.90 times the messages a second; the goal is 4"]),
        (32, replace(FAST, cpu_ms=2.5), ["4.00 times the messages per second of CPU; the goal is 5"]),
        (1, PLAIN, []),
        (1, replace(PLAIN, per_second=90), ["0.90 times the messages a second; the goal is 1"]),
    ],
)
def test_missed_goal_is_reported(connections: int, ours: Measured, missed: list[str]) -> None:
    found = misses(connections, {"plain": PLAIN, "ours": ours})
    assert found == [f"1 KB at {connections} connections: {one}" for one in missed]


def test_check_measures_each_goal_three_times() -> None:
    plan = plan_of(["--check"])
    assert (plan.checked, plan.sizes, plan.connections, plan.rounds) == (True, ["1 KB"], list(GOALS), 3)
    assert (plan_of([]).checked, plan_of([]).rounds) == (False, 1)
    assert [plan_of(["--attempt", number]).attempt for number in "012"] == [None, 1, 2]
