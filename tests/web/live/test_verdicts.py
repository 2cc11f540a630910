"""A filter that many clients share decides once about each state of a message."""

import gc
import threading
from dataclasses import replace

from infra.messages.message import Message
from tests.support.firestore.writer import stored_message
from web.live.client_filter import parse_client_filter
from web.live.verdicts import SharedVerdicts


class Counting:
    """Accepts every message with one delivery, and counts the questions."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, message: Message) -> bool:
        self.asked += 1
        return message.deliveries == 1


def test_clients_with_the_same_filter_share_one_evaluation() -> None:
    shared, counting, message = SharedVerdicts(), Counting(), stored_message(1)
    filters = [parse_client_filter("data.*.*=z OR word", "builds") for _ in range(20)]
    verdicts = [shared.of(one.key, counting) for one in filters]
    threads = [threading.Thread(target=one, args=(message,)) for one in verdicts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert (counting.asked, len(shared)) == (1, 1)


def test_each_state_of_a_message_has_its_verdict() -> None:
    counting = Counting()
    verdicts = SharedVerdicts().of("key", counting)
    first = stored_message(1)
    assert [verdicts(one) for one in (first, replace(first, deliveries=2), first)] == [True, False, True]
    assert counting.asked == 2


def test_filters_that_differ_share_nothing() -> None:
    shared = SharedVerdicts()
    texts = ("a", "b", "-a", "a OR b", "a b", "b a")
    held = [
        shared.of(parse_client_filter(text, subscription).key, Counting()) for text in texts for subscription in "xy"
    ]
    assert len(shared) == len({id(one) for one in held}) == 12


def test_filter_is_forgotten_with_its_last_client_and_old_verdicts_before() -> None:
    shared, counting = SharedVerdicts(), Counting()
    verdicts = shared.of("key", counting)
    for number in range(1_000):
        verdicts(stored_message(number))
    assert len(verdicts._held) == 128
    del verdicts
    gc.collect()
    assert len(shared) == 0
