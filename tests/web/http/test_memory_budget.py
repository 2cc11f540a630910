"""The memory for payloads: shared, waited for, and never one person's alone."""

import threading
import time

import pytest

from infra.errors import BusyError
from web.http.memory_budget import MAX_WAITING, MemoryBudget


def test_bytes_are_free_again_after_their_release() -> None:
    budget = MemoryBudget(100, wait_seconds=0)
    first, second = budget.reserve("a", 50), budget.reserve("b", 50)
    with pytest.raises(BusyError, match="Too many payloads are being read or sent"):
        budget.reserve("c", 1)
    first.release()
    first.release()
    third = budget.reserve("c", 50)
    with pytest.raises(BusyError):
        budget.reserve("d", 1)
    second.release()
    budget.reserve("d", 50).release()
    third.release()


def test_reservation_ends_with_a_response_that_is_never_closed() -> None:
    budget = MemoryBudget(100, wait_seconds=0)
    reservation = budget.reserve("a", 50)
    del reservation
    assert budget.try_to_reserve("a", 50)


def test_one_person_gets_half_of_the_memory() -> None:
    budget = MemoryBudget(100, wait_seconds=0)
    with budget.held("a", 50):
        with pytest.raises(BusyError, match="You have too many payloads in use"):
            budget.reserve("a", 1)
        budget.reserve("b", 50).release()
    budget.reserve("a", 30).release()


def test_payload_above_the_share_of_a_person_can_be_read_alone() -> None:
    budget = MemoryBudget(100, wait_seconds=0)
    with budget.held("a", 1_000), pytest.raises(BusyError):
        budget.reserve("a", 1)
    with budget.held("a", 1_000):
        pass


def test_request_waits_a_moment_for_memory() -> None:
    budget = MemoryBudget(100, wait_seconds=5)
    held = budget.reserve("a", 50)
    timer = threading.Timer(0.1, held.release)
    timer.start()
    began = time.monotonic()
    budget.reserve("a", 50).release()
    assert 0.05 < time.monotonic() - began < 2
    timer.join()


def test_few_requests_wait_at_the_same_time() -> None:
    budget = MemoryBudget(100, wait_seconds=0.5)
    held = budget.reserve("a", 50)
    refused: list[float] = []

    def reserve() -> None:
        began = time.monotonic()
        with pytest.raises(BusyError):
            budget.reserve("a", 1)
        refused.append(time.monotonic() - began)

    threads = [threading.Thread(target=reserve) for _ in range(3 * MAX_WAITING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sum(seconds > 0.4 for seconds in refused) == MAX_WAITING
    assert budget.try_to_reserve("a", 1) is None
    held.release()
    assert budget.try_to_reserve("a", 50)
