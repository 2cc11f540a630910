"""An action that is asked for twice runs once, while it runs and shortly after."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

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
