"""Let the processes that tests start be measured by ``make coverage``, which a clean environment would prevent."""

import os

_VARIABLE = "COVERAGE_PROCESS_CONFIG"
# A process that ends by SIGKILL, or by a signal without a handler, saves nothing.
IS_MEASURED = _VARIABLE in os.environ


def measuring_environ() -> dict[str, str]:
    """Return the variables by which coverage.py starts in a child process; empty unless this process is measured."""
    return {_VARIABLE: os.environ[_VARIABLE]} if IS_MEASURED else {}
