"""A person's CPU: any number of threads uses at most the saved seconds and those that flow in."""

import pytest

from tests.support.machine import Machine
from web.access.cpu_share import CpuRate, CpuShare, CpuShares, Pace

QUARTER = CpuRate(per_second=0.25, saved_seconds=1.0, overdrawn_seconds=100.0)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def share_of(machine: Machine) -> CpuShare:
    return CpuShare(QUARTER, machine.clock)


def pace_of(machine: Machine, share: CpuShare, leaves_at: float = float("inf")) -> Pace:
    return Pace(
        share,
        lambda: machine.now >= leaves_at,
        clock=machine.clock,
        cpu_clock=machine.cpu_clock,
        sleep=machine.sleep,
    )


@pytest.mark.parametrize(
    ("charged", "later", "wait"),
    [
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0),
        (1.5, 0.0, 2.0),
        (1.5, 1.0, 1.0),
        (1.5, 2.0, 0.0),
        (3.0, 4.0, 4.0),
    ],
)
def test_share_waits_for_what_was_used_beyond_it(machine: Machine, charged: float, later: float, wait: float) -> None:
    share = share_of(machine)
    share.charge(charged)
    machine.now += later
    assert share.wait_seconds() == pytest.approx(wait)


def test_share_is_overdrawn_up_to_its_limit(machine: Machine) -> None:
    share = CpuShare(CpuRate(per_second=0.25, saved_seconds=1.0, overdrawn_seconds=2.0), machine.clock)
    share.charge(2.5)
    assert share.wait_seconds() == pytest.approx(6.0)
    share.charge(1_000)
    assert share.wait_seconds() == pytest.approx(8.0)


def test_unused_cpu_is_saved_up_to_the_limit(machine: Machine) -> None:
    share = share_of(machine)
    machine.now += 3_600
    share.charge(1.25)
    assert share.wait_seconds() == pytest.approx(1.0)


@pytest.mark.parametrize("workers", [1, 4, 15])
def test_all_work_of_a_person_stays_within_the_share(machine: Machine, workers: int) -> None:
    share, began = share_of(machine), machine.now
    threads = [Machine() for _ in range(workers)]  # of a thread's machine, only the clock of its CPU counts
    paces = [Pace(share, clock=machine.clock, cpu_clock=thread.cpu_clock, sleep=machine.sleep) for thread in threads]
    while machine.now < began + 60:
        for pace, thread in zip(paces, threads, strict=True):
            if pace.goes_on(began + 60):
                machine.now += 0.02
                thread.cpu += 0.02
    used = sum(thread.cpu - Machine().cpu for thread in threads)
    assert QUARTER.per_second * 60 <= used <= QUARTER.saved_seconds + QUARTER.per_second * 60 + 0.02 * workers


def test_work_within_the_share_never_sleeps(machine: Machine) -> None:
    pace, deadline = pace_of(machine, share_of(machine)), machine.now + 2
    steps = 0
    while pace.goes_on(deadline) and steps < 90:
        machine.work(0.01)
        steps += 1
    assert (steps, machine.slept) == (90, [])


def test_work_ends_at_its_deadline_even_while_it_waits(machine: Machine) -> None:
    share = share_of(machine)
    share.charge(50)
    pace, deadline = pace_of(machine, share), machine.now + 2
    assert not pace.goes_on(deadline)
    assert machine.now == pytest.approx(deadline)
    assert not pace.goes_on(deadline)


def test_work_ends_when_its_client_has_left(machine: Machine) -> None:
    share = share_of(machine)
    pace, began = pace_of(machine, share, leaves_at=machine.now + 0.3), machine.now
    steps = 0
    while pace.goes_on(began + 60):
        machine.work(0.001)
        steps += 1
    assert 0.3 <= machine.now - began <= 0.31
    share.charge(50)
    waiting = pace_of(machine, share, leaves_at=machine.now + 0.5)
    began = machine.now
    assert not waiting.goes_on(began + 60)
    assert machine.now - began < 0.7


def test_each_person_has_one_share() -> None:
    shares = CpuShares(QUARTER)
    shares.of("operator").charge(10)
    assert shares.of("operator").wait_seconds() > 30
    assert shares.of("viewer").wait_seconds() == 0
