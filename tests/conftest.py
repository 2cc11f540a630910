"""Fixtures for everybody: the local cloud, one for the whole run or one of a test's own."""

import contextlib
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.local_cloud import Cloud, StartCloud, start_cloud

# Two processes drive a browser each, and one makes the plans of the module for all who look at them.
TOGETHER = {"tests/browser/test_[a-e]*": "browser a", "tests/browser/*": "browser f", "tests/terraform/*": "terraform"}


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist's classes have no types
    """Several processes share the tests by file, so that what a file starts is started once."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((group for pattern, group in TOGETHER.items() if fnmatch(path, pattern)), path)


# Not xdist's own groups: they go by a name of pytest's that the next pytest may not have, and are then not heard of.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud that all tests share; take names that no other test uses, and leave delivery running."""
    with start_cloud(tmp_path_factory.mktemp("cloud")) as running:
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
