"""The benchmark of many streams opens more than one user's share."""

from pathlib import Path

import pytest

from tests.benchmarks.live_streams import measure_streams


@pytest.mark.slow
def test_frames_arrive_at_more_streams_than_one_user_may_open(tmp_path: Path) -> None:
    found = measure_streams(tmp_path, 300, 2, 1.0)
    assert found.note == "600 of 600 frames arrived"
