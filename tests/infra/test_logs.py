"""One JSON line per event, whatever is in it and wherever it goes."""

import io
import json
import os
import threading
import time

import pytest

from infra.logs import BackgroundSink, Logger, Severity

TRACE = "0af7651916cd43dd8448eb211c80319c"


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_in_cloud_loggings_form() -> None:
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
def test_a_trace_is_linked_only_when_it_is_one(header: str | None, traced: bool) -> None:
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


def test_what_json_cannot_hold_is_written_as_text() -> None:
    stream = io.StringIO()
    Logger(stream=stream).info("x", half="\ud800", error=ValueError("no"))
    assert (lines(stream)[0]["half"], lines(stream)[0]["error"]) == ("\ud800", "no")


class Full(io.StringIO):
    """A disk without room: like /dev/full, but nothing is left to flush when it ends."""

    def write(self, _: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_a_sink_that_is_full_or_closed_does_not_fail_the_caller() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed):
        Logger(stream=stream).error("lost")


def test_many_threads_write_whole_lines() -> None:
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


def test_a_background_sink_writes_in_order() -> None:
    stream = io.StringIO()
    logger = Logger(stream=BackgroundSink(stream))
    for number in range(100):
        logger.info(str(number))
    deadline = time.monotonic() + 5
    while len(stream.getvalue().splitlines()) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [event["message"] for event in lines(stream)] == [str(number) for number in range(100)]


def test_a_reader_that_stalls_does_not_hold_the_caller() -> None:
    read_end, write_end = os.pipe()
    with open(write_end, "w") as stream:  # noqa: PTH123  # a file descriptor
        logger = Logger(stream=BackgroundSink(stream, max_lines=10))
        start = time.monotonic()
        for _ in range(2000):
            logger.info("x" * 1000)
        assert time.monotonic() - start < 2
        # Now somebody reads: the thread gets on, and the stream can be closed.
        threading.Thread(
            target=lambda: [None for _ in iter(lambda: os.read(read_end, 65536), b"")], daemon=True
        ).start()
        time.sleep(0.2)
