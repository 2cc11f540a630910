"""How several pytest processes share the tests: by file, in an order that stored durations give."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

DURATIONS = Path(__file__).absolute().parents[1] / "durations.json"
# Files that share an expensive start, here the plans of the Terraform module.
_GROUPS = {"tests/terraform/test_*": "terraform", "tests/terraform/docs/*": "terraform"}
_UNKNOWN_SECONDS = 5.0


def scope_of(nodeid: str) -> str:
    """Return the name of the tests that one process runs together: a file or a group of files."""
    path = nodeid.partition("::")[0]
    return next((group for pattern, group in _GROUPS.items() if fnmatch(path, pattern)), path)


def next_scope(scopes: Iterable[str], seconds: Mapping[str, float], worker: int) -> str:
    """Return the scope that a worker takes next: of its favourite folder first, then the longest.

    Even workers favour the browser's tests, so that few processes start a Chromium. Odd workers favour the faults,
    which mostly sleep: they cost the others little.
    """
    favourite, last = ("tests/browser/", "tests/faults/")[:: -1 if worker % 2 else 1]

    def rank(scope: str) -> tuple[int, float]:
        place = 0 if scope.startswith(favourite) else 2 if scope.startswith(last) else 1
        return place, -seconds.get(scope, _UNKNOWN_SECONDS)

    return min(scopes, key=rank)


def seconds_by_scope() -> dict[str, float]:
    """Return the stored duration of each scope."""
    seconds: dict[str, float] = defaultdict(float)
    for path, duration in json.loads(DURATIONS.read_text()).items():
        seconds[scope_of(path)] += duration
    return dict(seconds)


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist's classes have no types
    """Gives each process a file after another, the longest first, so that all end at about the same time."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._seconds = seconds_by_scope()

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        worker = int(node.gateway.id.removeprefix("gw"))
        self.workqueue.move_to_end(next_scope(self.workqueue, self._seconds, worker), last=False)
        super()._assign_work_unit(node)


class DurationWriter:
    """Adds up how long the tests of each file take, and stores it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        rounded = {path: round(seconds, 1) for path, seconds in sorted(self._seconds.items())}
        DURATIONS.write_text(json.dumps(rounded, indent=1) + "\n")
