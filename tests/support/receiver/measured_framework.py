"""Run functions-framework so that its workers save their coverage when they end.

At SIGTERM uvicorn shuts a worker down and raises the signal again, which ends the process before coverage.py saves.
"""

import signal

from coverage import Coverage
from functions_framework._cli import _cli

_raise_signal = signal.raise_signal


def _save_and_raise(number: int) -> None:
    coverage = Coverage.current()
    if coverage is not None:
        coverage.save()
    _raise_signal(number)


signal.raise_signal = _save_and_raise
_cli()
