"""Logs: one JSON line an event, for any content and any state of standard output."""

import io
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from infra.logs import BackgroundHandler, Logger, Severity

TRACE = "0af7651916cd43dd8448eb211c80319c"
# Logs more than a pipe holds (64 KiB), then ends.
LOG_AND_EXIT = """
from infra.logs import BackgroundHandler, Logger
log = Logger(handler=BackgroundHandler())
for _ in range(500):
    log.info("x" * 1000)
"""


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_event_is_one_line_in_cloud_logging_format() -> None:
    stream = io.StringIO()
    Logger(project="p", stream=stream).warning(
        "two\nlines \u2028", traceparent=f"00-{TRACE}-b7ad6b7169203331-01", message_id="1", count=2, none=None
    )
    [event] = lines(stream)
    assert event.pop("time")
    assert event == {
        "severity": "WARNING",
        "message": "two\nlines \u2028",
        "message_id": "1",
        "count": 2,
        "none": None,
        "logging.googleapis.com/trace": f"projects/p/traces/{TRACE}",
    }
    assert stream.getvalue().isascii()


@pytest.mark.parametrize(
    ("header", "traced"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", True),
        (f"{TRACE}/123;o=1", True),
        (f"{TRACE}/123", True),
        ("", False),
        (None, False),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", False),
        (f"00-{TRACE}-b7ad6b7169203331-01\n", False),
        ("x" * 10_000, False),
    ],
)
def test_trace_is_linked_only_by_a_valid_header(header: str | None, traced: bool) -> None:
    stream = io.StringIO()
    Logger(project="p", stream=stream).info("x", traceparent=header)
    assert ("logging.googleapis.com/trace" in lines(stream)[0]) == traced


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 3), ("INFO", 3), ("WARNING", 2), ("ERROR", 1), ("CRITICAL", 0)])
def test_events_below_the_level_are_not_written(level: Severity, count: int) -> None:
    stream = io.StringIO()
    logger = Logger(level, stream=stream)
    for write in (logger.info, logger.warning, logger.error):
        write("x")
    assert len(lines(stream)) == count


@pytest.mark.parametrize("severity", ["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"])
def test_every_severity_is_written_under_its_name(severity: Severity) -> None:
    stream = io.StringIO()
    Logger(severity, stream=stream).log(severity, "100 % of it")
    assert (lines(stream)[0]["severity"], lines(stream)[0]["message"]) == (severity, "100 % of it")


def test_values_that_json_cannot_hold_are_written_as_text() -> None:
    stream = io.StringIO()
    Logger(stream=stream).info("x", half="\ud800", error=ValueError("no"))
    assert (lines(stream)[0]["half"], lines(stream)[0]["error"]) == ("\ud800", "no")


class FullStream(io.StringIO):
    """A stream to a full disk: like /dev/full, but without buffered text that a later flush would write."""

    def write(self, _: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_full_or_closed_stream_does_not_fail_the_caller() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (FullStream(), closed):
        Logger(stream=stream).error("lost")


def test_concurrent_threads_write_whole_lines() -> None:
    stream = io.StringIO()
    logger = Logger(stream=stream)

    def write() -> None:
        for _ in range(100):
            logger.info("x" * 200)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(stream)) == 800


def test_background_handler_writes_in_order() -> None:
    stream = io.StringIO()
    logger = Logger(project="p", handler=BackgroundHandler(stream))
    for number in range(100):
        logger.info(str(number))
    deadline = time.monotonic() + 5
    while len(stream.getvalue().splitlines()) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [event["message"] for event in lines(stream)] == [str(number) for number in range(100)]


def test_stalled_reader_does_not_block_the_caller() -> None:
    read_end, write_end = os.pipe()
    with open(write_end, "w") as stream:  # noqa: PTH123  # a file descriptor
        logger = Logger(handler=BackgroundHandler(stream, max_lines=10))
        start = time.monotonic()
        for _ in range(2000):
            logger.info("x" * 1000)
        assert time.monotonic() - start < 2
        # Read now, so that the writer thread continues and the stream can be closed.
        threading.Thread(
            target=lambda: [None for _ in iter(lambda: os.read(read_end, 65536), b"")], daemon=True
        ).start()
        time.sleep(0.2)


def test_stalled_reader_does_not_delay_the_end_of_the_process() -> None:
    read_end, write_end = os.pipe()
    with subprocess.Popen([sys.executable, "-c", LOG_AND_EXIT], stdout=write_end) as process:
        os.close(write_end)
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()
            os.close(read_end)
