"""Ends what the local cloud started when the local cloud itself was killed: run as a script, not imported.

It reads ``+GROUP`` and ``-GROUP`` lines, and when its standard input ends (whatever ended the writer, SIGKILL included)
it ends the process groups that are left. prctl(PR_SET_PDEATHSIG) reaches neither a child's own children, such as
gunicorn's workers, nor other systems than Linux.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 3.0


def main() -> None:
    """Keep the list until the writer is gone, then end the groups on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    groups = {group for group in groups if end(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group for group in groups if end(group, 0)}
    for group in groups:
        end(group, signal.SIGKILL)


def end(group: int, number: int) -> bool:
    """Send a signal to a process group; tell whether it is still there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
