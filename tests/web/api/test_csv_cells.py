"""Cells of the CSV export: no reader sees a formula, numbers stay numbers, and a file for Excel keeps long ids."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.cpu_cost import assert_cheap
from web.api.csv_cells import cell, excel_cell, long_cell
from web.api.export_columns import csv_row

ATTACK = "=cmd|' /C calc'!A0"
# Readers may remove these before they look for a formula.
REMOVED = '"\x00\x01\x0e\x1b\x7f\u200b\u200e\u2060\ufeff'
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?|\+\d+( \d+)*", re.ASCII)


def cells_of_readers(row: bytes) -> Iterator[str]:
    """Yield each cell that a reader of commas, semicolons or tabs sees, with and without quotes as it knows them."""
    text = row.decode()
    for delimiter in ",;\t":
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from line
    for delimiter in ";\t":
        for broken in re.split("[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]", text):
            yield from str(broken).split(delimiter)


def is_formula(seen: str) -> bool:
    bare = seen.lstrip(REMOVED + "\t\r")
    return bare[:1] in tuple("=+-@＝＋－＠") and not NUMBER.fullmatch(bare.rstrip(' ,]}"'))


HOSTILE = [
    ATTACK,
    "a;" + ATTACK,
    "a\t" + ATTACK,
    "a\n" + ATTACK,
    "a\r" + ATTACK,
    "a\u2028@SUM(A1)",
    "a;;+1+cmd|x",
    'a;"' + ATTACK,
    'a;""-1+1',
    "a;\x00" + ATTACK,
    "a;\ufeff" + ATTACK,
    "a;＝1+1",
    "a\r\n-1+1\r\n@x",
    "a;\t=1",
    "x;-5,0*cmd|x",
    "x;-5\t0*cmd|x",
    "\n-5;0*cmd|x",
    "\n-5\v0*cmd|x",
    "-5\n*cmd|x",
    "+1 2 3+cmd|x",
    "-1e",
    "--1",
    '{"a": "x;=1", "b": "\\n-"}',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_reader_sees_a_formula(text: str) -> None:
    for row in ([text], ["id", text, "next"], ["id", text, "0*cmd|' /C calc'!A0"], ['"', text, '"', text]):
        seen = list(cells_of_readers(csv_row(row)))
        assert not [one for one in seen if is_formula(one)], csv_row(row)


PIECES = st.sampled_from([*"=+-@;\t\n\r\",'1x ", "-5", "＝", "\x00", "\v", "\u2028", ATTACK, ";=", "\t-"])


@given(st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=4))
@example(["x;-5", "0*cmd|x"])
@example(["x;", "-5"])
def test_no_reader_sees_a_formula_in_any_row(texts: list[str]) -> None:
    row = csv_row(["id", *texts])
    assert not [one for one in cells_of_readers(row) if is_formula(one)], row


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "-273.15",
        "-9007199254740993",
        "+4930123456",
        "+49 30 1234",
        "-1,5",
        "-1e-7",
        "+1",
        "x\t-5\ty",
        "x;-5;+6\r\n-7\r\n",
        "[\n-5,\n-3\n]",
        '{\n  "a": -5,\n  "b": [-1, -2]\n}',
        "1-2",
        "a=b",
        " =1",
        "'x",
        "a; b; c",
        'say "x", y',
    ],
)
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text
    (read,) = next(csv.reader(io.StringIO(csv_row([text]).decode(), newline="")))
    assert read == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1", "'=1"),
        ("-", "'-"),
        ("\tx", "'\tx"),
        ("\n=1", "'\n'=1"),
        ("a;=1;@x", "a;'=1;'@x"),
        ("- one\n- two", "'- one\n'- two"),
        ("x;-5", "x;'-5"),
        ("a;\tb", "a;'\tb"),
    ],
)
def test_guard_is_before_each_formula(text: str, written: str) -> None:
    assert cell(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1234567890123456", '="1234567890123456"'),
        ("-9007199254740993", '="-9007199254740993"'),
        ("12345678901234.56", '="12345678901234.56"'),
        ("007", '="007"'),
        ("+4930123456", '="+4930123456"'),
        ("+49 30 1234", '="+49 30 1234"'),
        ("123456789012345", "123456789012345"),
        ("-5", "-5"),
        ("0", "0"),
        ("0.5", "0.5"),
        ("=1", "'=1"),
        ("1234567890123456;=1", "1234567890123456;'=1"),
        ('1234567890123456"&cmd', '1234567890123456"&cmd'),
    ],
)
def test_excel_gets_numbers_that_it_would_change_as_text(text: str, written: str) -> None:
    assert excel_cell(text) == written


@given(st.text('ade=;+-@\t\r\n"019,. é\u2028'), st.integers(1, 9))
def test_long_cell_is_the_cell_in_pieces(text: str, length: int) -> None:
    pieces = [text[start : start + length] for start in range(0, len(text), length)]
    assert "".join(long_cell(pieces)) == cell(text)


@pytest.mark.parametrize("text", [";=" * 200_000, "1,-1;" * 100_000, '";\t' * 150_000 + "=1"])
def test_long_cell_without_letters_has_its_guards(text: str) -> None:
    written = "".join(long_cell(text[start : start + 50_000] for start in range(0, len(text), 50_000)))
    assert written.replace("'", "") == text
    assert cell(written.replace("'", "")).count("'") <= written.count("'")


@pytest.mark.parametrize("hostile", [";", ";-", '"', ';"', "\n-1.1", "-1", "\n- x", ";\t"])
def test_hostile_text_is_written_in_linear_time(hostile: str) -> None:
    assert_cheap(lambda: cell(hostile * 100_000), loops=60)
