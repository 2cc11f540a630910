"""No text of a publisher and no position of a client breaks a frame."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.messages.cursor import Cursor
from web.live.sse import Position, event, parse_position, retry

ID = "0123456789abcdef" * 2
CURSOR = f"1767323045678000-{ID}"
HOSTILE = [
    "a\nb",
    "a\rb",
    "a\r\nb",
    "\u2028\u2029\u0085\u000b\u000c",
    "data: x\n\nevent: message\n",
    "</script><script>",
    "\x00\x1b\x7f",
    "\ud800",
    "😀\ufeff",
]


def parse(frame: bytes) -> dict[str, str]:
    """Parse one frame as the standard does: CR, LF and CRLF all end lines."""
    text = frame.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    assert text.endswith("\n\n"), "the frame does not end"
    assert text.count("\n\n") == 1, "there is more than one frame"
    return dict(line.split(": ", 1) for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_data_stays_one_ascii_line(text: str) -> None:
    frame = event("message", {"html": text, text: 1}, CURSOR)
    assert frame.isascii()
    fields = parse(frame)
    assert list(fields) == ["id", "event", "data"]
    assert json.loads(fields["data"]) == {"html": text, text: 1}


def test_frame_has_id_event_and_data_lines() -> None:
    assert event("message", {"a": 1}, "7-a") == b'id: 7-a\nevent: message\ndata: {"a":1}\n\n'
    assert event("resync", {}) == b"event: resync\ndata: {}\n\n"
    assert retry(1000) == b"retry: 1000\n\n"


ALMOST_A_CURSOR = st.text(st.sampled_from("0123456789abcdef-٣²\n +_.") | st.characters(), max_size=60) | st.builds(
    "{}-{}".format, st.integers() | st.integers(0, 10**20), st.sampled_from([ID, ID.upper(), ID + "0", "", "../x"])
)


@given(ALMOST_A_CURSOR, ALMOST_A_CURSOR)
@example("9" * 5000 + "-" + ID, "")
def test_any_position_is_a_cursor_as_it_is_written_or_unknown(last_event_id: str, after: str) -> None:
    position, sent = parse_position(last_event_id, after), last_event_id or after
    if position.cursor:
        assert position.known
        assert Cursor.parse(str(position.cursor)) == position.cursor
        assert sent.partition("-")[2] == position.cursor.id
        assert int(sent.partition("-")[0]) == int(str(position.cursor).partition("-")[0])
        event("message", {}, str(position.cursor))
    else:
        assert position.known == (not sent)


@pytest.mark.parametrize("event_id", ["a b", "a\n", "\r", "ü", "a\x00"])
def test_invalid_id_is_refused(event_id: str) -> None:
    with pytest.raises(ValueError, match="an event's id"):
        event("message", {}, event_id)


@pytest.mark.parametrize("name", ["", "Message", "a\nb", "a b"])
def test_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="an event's name"):
        event(name, {})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_number_that_is_not_json_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        event("message", {"a": number})


def test_last_event_id_wins_over_after() -> None:
    assert parse_position(CURSOR, "garbage") == Position(Cursor.parse(CURSOR))


def test_after_is_the_position_of_a_first_connection() -> None:
    assert parse_position("", CURSOR) == Position(Cursor.parse(CURSOR))


def test_client_without_a_position_starts_at_the_beginning() -> None:
    assert parse_position("", "") == Position(None)


@pytest.mark.parametrize("text", ["x", "1-2", "-" + ID, CURSOR + "\n", CURSOR.upper(), " " + CURSOR, "\x00", "٣-" + ID])
def test_invalid_cursor_is_an_unknown_position(text: str) -> None:
    assert parse_position(text, CURSOR) == Position(None, known=False)
    assert parse_position("", text) == Position(None, known=False)
