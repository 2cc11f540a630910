"""The clouds on which the chain from publisher to page must behave alike."""

from collections.abc import Iterator

import pytest

from tests.support.local_cloud import Cloud, start_cloud


@pytest.fixture(scope="package")
def google_cloud(google_emulators: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The whole of Subscope on Google's emulators."""
    with start_cloud(tmp_path_factory.mktemp("google"), emulators="google") as running:
        yield running


@pytest.fixture(params=["local", pytest.param("google", marks=pytest.mark.emulators)])
def each_cloud(request: pytest.FixtureRequest) -> Cloud:
    """The shared local cloud, then Google's emulators: the test must hold on both."""
    cloud: Cloud = request.getfixturevalue("google_cloud" if request.param == "google" else "cloud")
    return cloud
