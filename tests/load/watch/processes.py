"""Memory, threads and open files of processes, and the sockets of this machine, from /proc."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """The memory, threads and open files of a service, without its clients' connections; zero while it is down."""

    rss_bytes: int = 0
    threads: int = 0
    files: int = 0


def usage_of(pid: int | None, port: int) -> Usage:
    """Return the usage of a master's workers, or of the process itself if it has none; it listens on ``port``."""
    if pid is None:
        return Usage()
    clients = sum(local == port and state == "01" for (local, _), (state, _) in loopback_sockets().items())
    workers = _children(pid) or [pid]
    found = [usage_of_one(worker) for worker in workers]
    files = max(0, sum(one.files for one in found) - clients)
    return Usage(sum(one.rss_bytes for one in found), sum(one.threads for one in found), files)


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def usage_of_one(pid: int) -> Usage:
    """Return the usage of one process, without its children."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return Usage(int(fields[21]) * _PAGE, int(fields[17]), files)
    return Usage()


def busy_seconds() -> float:
    """Return the CPU time that all processes of this machine have used."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def own_cpu_seconds(*pids: int | None) -> float:
    """Return the CPU time of these processes and their children."""
    ticks = 0
    for pid in filter(None, pids):
        for one in (pid, *_children(pid)):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def loopback_sockets() -> dict[tuple[int, int], tuple[str, int]]:
    """Return the state (in hexadecimal; 01 is established) and the unsent bytes of each socket, by its two ports."""
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        ports = (int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16))
        found[ports] = (state, int(queues.partition(":")[0], 16))
    return found
