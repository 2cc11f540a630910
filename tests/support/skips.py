"""Whether tests may be skipped: with SKIPS_ALLOWED=0 each skip is a failure that keeps its reason."""

from collections.abc import Generator, Mapping

import pytest

VARIABLE = "SKIPS_ALLOWED"


def are_allowed(environ: Mapping[str, str]) -> bool:
    """Return whether a skip is no failure, which is the default. Raises UsageError for a value that is not 0 or 1."""
    value = environ.get(VARIABLE, "1")
    if value not in ("0", "1"):
        raise pytest.UsageError(f"{VARIABLE} must be 0 or 1, found {value!r}")
    return value == "1"


class SkipsAreFailures:
    """Changes the reports of tests and of files that were skipped; in a process of xdist, before they are sent."""

    # First, so outermost: an expected failure is reported as skipped, and only pytest's own hook adds that it is one.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        _refuse(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        _refuse(report)
        return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\n{VARIABLE}=0 does not allow this skip: install what is missing."
