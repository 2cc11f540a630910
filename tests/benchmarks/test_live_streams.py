"""The benchmark of many streams opens them all, whatever share of them is one person's."""

from pathlib import Path

import pytest

from tests.benchmarks.live_streams import measure_streams


@pytest.mark.slow
def test_every_frame_arrives_at_more_streams_than_one_person_may_open(tmp_path: Path) -> None:
    found = measure_streams(tmp_path, 300, 2, 1.0)
    assert found.note == "600 of 600 frames arrived"
