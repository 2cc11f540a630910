"""The same chain on Google's emulators: what is seen on the local cloud is not the local cloud's doing."""

from collections.abc import Iterator

import pytest

from tests.browser.delivery.test_recovery import (
    test_messages_wait_for_a_killed_receiver,
    test_the_page_comes_back_after_the_viewer_was_killed,
)
from tests.browser.delivery.test_watching import (
    test_a_message_appears_within_two_seconds,
    test_stop_and_start_are_everyones,
)
from tests.support.local_cloud import Cloud, start_cloud

# Collected here again, with this module's cloud.
__all__ = [
    "test_a_message_appears_within_two_seconds",
    "test_messages_wait_for_a_killed_receiver",
    "test_stop_and_start_are_everyones",
    "test_the_page_comes_back_after_the_viewer_was_killed",
]
pytestmark = [pytest.mark.emulators, pytest.mark.slow]


@pytest.fixture(scope="module")
def cloud(google_emulators: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The whole of Subscope on Google's emulators."""
    with start_cloud(tmp_path_factory.mktemp("google"), emulators="google") as running:
        yield running
