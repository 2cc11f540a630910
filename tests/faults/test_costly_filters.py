"""One person with costly filters takes neither the lists nor the live messages of another one."""

import contextlib
import os
import time
from pathlib import Path

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.writer import Writer
from tests.support.viewer.process import HttpClient, HttpVisitor, Server, served
from tests.support.waiting import wait_until

ONES = b'{"a":[' + b"1," * 8_180 + b"1]}"
COSTLIEST = " ".join(f"-data.*.*~z{number}" for number in range(29))
STORED = 60
STREAMS = 4
_IDLE_SECONDS = 0.5


def cpu_seconds(server: Server) -> float:
    """Return the CPU time of the worker so far."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    fields = Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_idle(server: Server) -> bool:
    before = cpu_seconds(server)
    time.sleep(_IDLE_SECONDS)
    return cpu_seconds(server) - before < _IDLE_SECONDS / 4


def test_costly_filters_of_one_person_delay_no_other(firestore: LocalFirestore, writer: Writer, tmp_path: Path) -> None:
    writer.messages(STORED, data=ONES, kind="json", size_bytes=len(ONES))
    with served(firestore.address, writer, tmp_path) as server:
        attacker = HttpVisitor(server.port, server.cookie)
        server.sign_in(writer, "other")
        other = HttpClient(server)
        wait_until(lambda: other.of("caughtup") or other.of("message"), "the other person's stream")
        before = len(other.ids())
        streams = [HttpClient(attacker, q=f"{COSTLIEST} -{number}") for number in range(STREAMS)]
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                writer.message(data=ONES, kind="json", size_bytes=len(ONES))
                stack.enter_context(contextlib.closing(attacker.request("/messages?q=data.*.*%3Dz")))
                assert server.status("/api/v1/session") == 200
        wait_until(lambda: len(other.ids()) >= before + 3, "the messages at the other person")
        assert server.status("/api/v1/messages?q=data.*.*%3Dz") == 200
        for stream in streams:
            stream.close()
        wait_until(lambda: is_idle(server), "the end of the work for clients that left")
        other.close()
