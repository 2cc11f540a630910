"""The formula of the costs agrees with the behaviour of the viewer."""

from datetime import timedelta

import pytest

from docs.tools.costs import Use, bill, read_times
from infra.messages.cursor import Cursor
from infra.messages.message import document_id
from tests.support.firestore.writer import START
from web.live.listen_window import ListenWindow


def times_read(messages_per_second: int, seconds: int) -> float:
    """Compute how often a feed reads each message on average, when messages arrive evenly."""
    window, reads, count = ListenWindow(Cursor(START, "")), 0, messages_per_second * seconds
    for number in range(count):
        at = START + timedelta(seconds=number / messages_per_second)
        window.take(Cursor(at, document_id("builds", str(number))), 1)
        reads += 1
        if start := window.next_start():
            window.move(start)
            reads += len(window)
    return reads / count


@pytest.mark.parametrize(("messages_per_second", "seconds"), [(1, 3000), (10, 1200), (40, 600)])
def test_feed_reads_as_often_as_the_formula_says(messages_per_second: int, seconds: int) -> None:
    # The feed checks only every ten seconds whether to move, so it moves slightly later than it could.
    assert 0.9 < times_read(messages_per_second, seconds) / read_times(messages_per_second) < 1.02


def test_second_instance_of_the_viewer_costs_as_much_as_the_first() -> None:
    one, two = (bill(Use(10**8, viewer_instances=count)) for count in (1, 2))
    # The first instance uses the whole free amount.
    assert two.viewer > 2 * one.viewer
    more = two.firestore - one.firestore
    assert more == pytest.approx(10**8 / 3 * 4 / 3 * 30 * 0.06 / 100_000, rel=0.01)
