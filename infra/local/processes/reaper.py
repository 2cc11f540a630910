"""End the processes of a local cloud that was killed. It runs as a script and is not imported.

It reads ``+GROUP`` and ``-GROUP`` lines. When its standard input ends, also because SIGKILL ended the writer, it ends
the remaining process groups. prctl(PR_SET_PDEATHSIG) would not reach grandchildren such as gunicorn's workers, and
works on Linux only.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 3.0


def main() -> None:
    """Keep the list of groups until the writer ends, then end these groups."""
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
    """Send a signal to a process group; return whether the group existed."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
