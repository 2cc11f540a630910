"""An action that is asked for twice runs once, while it runs and shortly after."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from infra.errors import BusyError
from tests.support.waiting import wait_until
from web.publishing.once import Once


def test_concurrent_requests_share_one_answer() -> None:
    once, numbers, may_end = Once(), count(1), threading.Event()

    def act() -> int:
        assert may_end.wait(5)
        return next(numbers)

    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(once.run, "key", act) for _ in range(3)]
        other = once.run("another key", lambda: 7)
        may_end.set()
        assert [answer.result(5) for answer in answers] == [1, 1, 1]
    assert other == 7
    assert once.run("key", lambda: next(numbers)) == 1


def test_later_request_acts_again() -> None:
    once, numbers = Once(remember_seconds=0.02), count(1)
    assert once.run("key", lambda: next(numbers)) == 1
    wait_until(lambda: once.run("key", lambda: next(numbers)) == 2, "the second action", 5)


def test_failed_action_can_be_tried_again_at_once() -> None:
    once = Once()
    with pytest.raises(ZeroDivisionError):
        once.run("key", lambda: 1 / 0)
    assert once.run("key", lambda: 2.0) == 2.0


def test_request_that_waits_too_long_is_refused_with_a_sentence() -> None:
    once, may_end = Once(max_wait_seconds=0.05), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(once.run, "key", lambda: may_end.wait(5))
        wait_until(lambda: first.running() and "key" in once._running, "the first action", 5)
        with pytest.raises(BusyError, match="its messages are still being published"):
            once.run("key", lambda: pytest.fail("a second action"))
        may_end.set()
        assert first.result(5)


def test_timeout_of_the_action_itself_is_its_answer() -> None:
    once, may_end = Once(), threading.Event()

    def act() -> None:
        assert may_end.wait(5)
        raise TimeoutError("of Pub/Sub")

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(once.run, "key", act) for _ in range(2)]
        wait_until(lambda: all(answer.running() for answer in answers), "both requests", 5)
        may_end.set()
        for answer in answers:
            with pytest.raises(TimeoutError, match=r"of Pub/Sub"):
                answer.result(5)
