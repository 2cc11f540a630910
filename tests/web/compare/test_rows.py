"""Comparisons as rows of the page: values, words, lines and bytes, folded equal parts, and their bounds."""

import json

import pytest

from infra.messages.compare.payloads import compare
from tests.support.cpu_cost import assert_cheap
from web.compare.rows import MAX_ROWS, Fold, Row, rows_of


def lines(a: bytes, b: bytes) -> list[str]:
    """Return each row as ``kind label: old | new``, with [brackets] around the words that differ."""
    return [one.words if isinstance(one, Fold) else line(one) for one in rows_of(compare(a, b)).shown]


def line(row: Row) -> str:
    sides = (
        "none" if side is None else "".join(f"[{span.text}]" if span.differs else span.text for span in side)
        for side in (row.old, row.new)
    )
    return f"{row.kind} {row.label}: {' | '.join(sides)}"


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (b'{"a": 1, "b": 2, "c": 3}', b'{"b": 2, "c": 4}', [
            "removed /a: 1 | none", "1 equal value", "changed /c: 3 | 4"
        ]),
        (b"[1, 2, 3]", b"[0, 1, 2, 4]", ["added /0: none | 0", "2 equal values", "changed /2 → /3: 3 | 4"]),
        (b"[1]", b'{"a": "\xe2\x80\xae"}', ['changed the whole document: [1] | {"a": "\\u202e"}']),
        (b'{"t": "one two"}', b'{"t": "one three"}', ['changed /t: "one [two]" | "one [three]"']),
        (b"a\nb\nc", b"a\nB\nc\nd", [
            "1 equal line", "changed line 2: [b] | [B]", "changed line 3: c | c[\\n]", "added line 4: none | d"
        ]),
        (b"a\r\n", b"a\n", ["changed line 1: a[\\r] | a"]),
        (b"\x00\xff", b"\x00\xfe\xfd", [
            "1 equal byte",
            f"changed byte 1: 00000001  {'ff':<47}  · | 00000001  {'fe fd':<47}  ··",
        ]),
    ],
)  # fmt: skip
def test_differences_become_rows(a: bytes, b: bytes, shown: list[str]) -> None:
    assert lines(a, b) == shown


def test_folds_hold_the_first_equal_values_with_their_places() -> None:
    a = {f"k{n:02}": n for n in range(30)}
    (fold, _) = rows_of(compare(json.dumps(a).encode(), json.dumps(a | {"z": 1}).encode())).shown
    assert isinstance(fold, Fold)
    assert fold.words == "30 equal values"
    assert fold.items[:2] == (("/k00", "0"), ("/k01", "1"))
    assert len(fold.items) == 20


def test_rows_are_bounded_and_all_differences_are_counted() -> None:
    a, b = (json.dumps([{"v": n, "w": 0} for n in range(start, start + 2_000)]).encode() for start in (0, 5_000))
    rows = rows_of(compare(a, b))
    assert rows.counts == {"changed": 2_000}
    assert rows.left_out == 2_000 - MAX_ROWS
    assert sum(isinstance(one, Row) for one in rows.shown) == MAX_ROWS


def test_long_lines_values_and_names_are_cut() -> None:
    name = "n" * 10_000
    (row,) = rows_of(
        compare(json.dumps({name: "x" * 9_000 + "1"}).encode(), json.dumps({name: "x" * 9_000 + "2"}).encode())
    ).shown
    assert isinstance(row, Row)
    assert len(row.label) <= 202
    assert row.old is not None
    assert [span.text[-3:] for span in row.old if span.differs] == ["xx1"]
    assert "[…8,781 equal characters…]" in row.old[0].text


def test_words_of_many_long_lines_are_marked_within_one_bound() -> None:
    a, b = ("\n".join(" ".join(f"{n % 7}{n * step % 11}" for n in range(200)) for _ in range(400)) for step in (3, 5))
    assert_cheap(lambda: rows_of(compare(a.encode(), b.encode())), loops=60)
