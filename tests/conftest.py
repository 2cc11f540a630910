"""Fixtures for everybody: the local cloud, one for the whole run or one of a test's own."""

import contextlib
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud import ROOT, Cloud, start_cloud

StartCloud = Callable[..., Cloud]
# What one process makes for all of these: plans of the module, and the checkers' packages.
TOGETHER = "tests/terraform/"
# These share what every process has; but for some, which share what their file starts.
EACH_ALONE = "tests/browser/"
SHARED_BY_A_FILE = {"both", "google_emulators"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the tests by file, so that what a file starts is started once."""
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    """Which tests run in one process with this one; empty when it may run in any."""
    path = item.path.relative_to(ROOT).as_posix()
    if path.startswith(TOGETHER):
        return TOGETHER
    fixtures: list[str] = getattr(item, "fixturenames", [])
    is_alone = path.startswith(EACH_ALONE) and not SHARED_BY_A_FILE.intersection(fixtures)
    return "" if is_alone else path


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud that all tests share; take names that no other test uses, and leave delivery running."""
    with start_cloud(tmp_path_factory.mktemp("cloud")) as running:
        # The first administrator is made where there is no user at all: before any test adds one.
        with urllib.request.urlopen(running["viewer"] + "/login", timeout=10):
            pass
        yield running


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[StartCloud]:
    """Start a cloud for one test: ``own_cloud(emulators="google", environ={"MAX_STREAMS": "2"})``."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(start_cloud(tmp_path, **options))


@pytest.fixture(scope="session")
def google_emulators() -> None:
    """Skip the test unless Google's emulators are installed."""
    if not shutil.which("gcloud") or not shutil.which("java"):
        pytest.skip("Google's emulators are not installed here: they need gcloud and Java")
