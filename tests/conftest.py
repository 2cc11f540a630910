"""Tiers, sharing between processes, and the local cloud: one for the whole run or one of a test's own."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_cloud import Cloud, StartCloud, start_cloud
from tests.support.sharing import DurationWriter, LongestFirst
from tests.support.skips import SkipsAreFailures, are_allowed
from tests.support.tiers import TIERS, Guard, tier_of

ROOT = Path(__file__).absolute().parents[1]
GUARD = pytest.StashKey[Guard]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store-durations", action="store_true", help="write how long each file takes to tests/durations.json"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GUARD] = Guard()
    for tier, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {meaning}")
    if config.getoption("store_durations") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(DurationWriter())
    if not are_allowed(os.environ):
        config.pluginmanager.register(SkipsAreFailures())


def pytest_itemcollected(item: pytest.Item) -> None:
    path = item.path.relative_to(ROOT).as_posix()
    item.add_marker(tier_of(path, getattr(item, "fixturenames", ())))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    guard = item.config.stash[GUARD]
    guard.is_on = item.get_closest_marker("unit") is not None
    try:
        return (yield)
    finally:
        guard.is_on = False


# Optional: without xdist (-p no:xdist) the hook does not exist.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst:
    return LongestFirst(config, log)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud that all tests share; take names that no other test uses, and leave delivery running."""
    with start_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local cloud of one test module, for tests that fill the list or need to know all of it."""
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
