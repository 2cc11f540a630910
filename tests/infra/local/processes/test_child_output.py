"""The lines of a service's log that the terminal shows."""

import json

import pytest

from infra.local.processes.child_output import loud


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (json.dumps({"severity": "ERROR", "message": "broken", "field": 1}), "ERROR broken"),
        (json.dumps({"severity": "WARNING", "message": "odd"}), "WARNING odd"),
        (json.dumps({"severity": "INFO", "message": "fine"}), ""),
        ("[2026-01-02 03:04:05 +0000] [7] [ERROR] Worker failed", "Worker failed"),
        ("[2026-01-02 03:04:05 +0000] [7] [INFO] Booting", ""),
        ("WARNING: sun.reflect is old", "sun.reflect is old"),
        ("ModuleNotFoundError: No module named 'web'", "ModuleNotFoundError: No module named 'web'"),
        ("infra.errors.SettingsError: X is not set", "X is not set"),
        ("infra.errors.SettingsError", "infra.errors.SettingsError"),
        ('  File "main.py", line 1, in <module>', ""),
        ("{not json", ""),
    ],
)
def test_only_warnings_and_errors_are_shown(line: str, shown: str) -> None:
    assert loud(line) == shown
