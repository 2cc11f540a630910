"""The pauses before the feed opens its stream again."""

import pytest

from web.live.listener import Backoff, FeedTiming

TIMING = FeedTiming()


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("lasted_seconds", [0.0, 0.4, 1.0, 60.0])
def test_stream_is_opened_at_most_once_a_second(refused: bool, lasted_seconds: float) -> None:
    for _ in range(50):
        backoff = Backoff(TIMING)
        for _ in range(12):
            pause = backoff.seconds(since_opened=lasted_seconds, refused=refused)
            assert lasted_seconds + pause >= TIMING.min_reopen_seconds


@pytest.mark.parametrize(
    ("refused", "max_seconds"), [(False, TIMING.max_reopen_seconds), (True, TIMING.refused_reopen_seconds)]
)
def test_pauses_grow_to_a_limit_while_failures_go_on(refused: bool, max_seconds: float) -> None:
    for _ in range(50):
        backoff = Backoff(TIMING)
        pauses = [backoff.seconds(since_opened=0.0, refused=refused) for _ in range(12)]
        assert pauses[0] == TIMING.min_reopen_seconds
        assert all(max_seconds / 2 <= pause <= max_seconds for pause in pauses[-5:])


def test_success_begins_with_short_pauses_again() -> None:
    backoff = Backoff(TIMING)
    for _ in range(5):
        backoff.seconds(since_opened=0.0, refused=False)
    backoff.succeeded()
    assert backoff.seconds(since_opened=0.0, refused=False) == TIMING.min_reopen_seconds
