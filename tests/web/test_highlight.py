"""Payloads as they are shown: laid out by white space alone, escaped, cut and told so."""

import re

import pytest
from markupsafe import Markup

from web.highlight import colour, lay_out, style_sheet
from web.payload import SHOWN_BYTES, SHOWN_HEX_BYTES, show


@pytest.mark.parametrize(
    ("text", "laid_out"),
    [
        ("{}", "{}"),
        ("[ ]", "[]"),
        ('{"a":1}', '{\n  "a": 1\n}'),
        ('{"b":1,"a":{},"b":[]}', '{\n  "b": 1,\n  "a": {},\n  "b": []\n}'),
        ("[1.0,1e400,-0,12345678901234567890]", "[\n  1.0,\n  1e400,\n  -0,\n  12345678901234567890\n]"),
        ('{"a" :\n\t"x  y, {z}"}', '{\n  "a": "x  y, {z}"\n}'),
        (r'["\"\\", "é"]', '[\n  "\\"\\\\",\n  "é"\n]'),
        ('{"cut":"in the mid', '{\n  "cut": "in the mid'),
        ("]]", "\n]\n]"),
    ],
)
def test_json_is_laid_out_by_white_space_alone(text: str, laid_out: str) -> None:
    assert lay_out(text) == laid_out


def test_layout_changes_no_other_character() -> None:
    text = '{"b":[1,2.50,{"x":"a\\u0041 b"}],"b":null,"":true}'
    outside = re.compile(r"\s+")
    assert outside.sub("", lay_out(text) or "") == outside.sub("", text)


def test_layout_that_would_be_too_long_is_refused() -> None:
    assert lay_out("[" * 100_000) is None


@pytest.mark.parametrize("language", ["json", "xml", "text"])
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '{"a":"</span></code></pre><img src=x onerror=alert(1)>"}',
        "\"><svg onload=alert(1)>'",
        "<!--<script>",
        "]]>",
        "&lt;b&gt;",
    ],
)
def test_nothing_a_publisher_wrote_becomes_markup(hostile: str, language: str) -> None:
    spans = colour(hostile, language)  # type: ignore[arg-type]
    tags = set(re.findall(r"<[^>]*>", spans))
    assert all(re.fullmatch(r'</span>|<span class="[a-z0-9]+">|<span></span>', tag) for tag in tags), tags
    assert Markup(spans).striptags() == " ".join(hostile.split()), "the text itself is as it was sent"


def test_hidden_characters_are_written_out() -> None:
    assert Markup(colour("a\u202eb\x00\r\n\tc", "text")).unescape() == "a\\u202eb␀␍\n\tc"


@pytest.mark.parametrize(
    ("data", "kind", "wanted", "view", "views"),
    [
        (b'{"a":1}', "json", None, "pretty", ("pretty", "raw", "hex")),
        (b'{"a":1}', "json", "raw", "raw", ("pretty", "raw", "hex")),
        (b'{"a":1}', "json", "nonsense", "pretty", ("pretty", "raw", "hex")),
        (b"hello", "text", None, "raw", ("raw", "hex")),
        (b"hello", "text", "pretty", "raw", ("raw", "hex")),
        (b"\xff\x00", "binary", None, "hex", ("hex",)),
        (b"\xff\x00", "text", None, "hex", ("hex",)),
        (b"\xff\x00", "made up", None, "hex", ("hex",)),
        (b"", "empty", None, None, ()),
    ],
)
def test_views(data: bytes, kind: str, wanted: str | None, view: str | None, views: tuple[str, ...]) -> None:
    shown = show(data, len(data), kind, wanted)  # type: ignore[arg-type]
    assert (shown.view, shown.views, shown.note) == (view, views, "")


def test_hex_rows() -> None:
    shown = show(b"<b>\x00" + b"A" * 14, 18, "binary")
    assert shown.body.unescape().split("\n") == [
        "00000000  3c 62 3e 00 41 41 41 41  41 41 41 41 41 41 41 41  <b>·AAAAAAAAAAAA",
        "00000010  41 41                                             AA",
    ]


def test_a_large_payload_is_cut_and_says_so() -> None:
    shown = show(b"x" * SHOWN_BYTES, 10_000_000, "text")
    assert shown.note == "The first 128 kB of 10 MB are shown. The download has all of it."
    assert show(b"x" * SHOWN_BYTES, SHOWN_BYTES, "text").note == ""
    shown = show(b"\xff" * 900_000, 10_000_000, "binary")
    assert shown.note == "The first 8.0 kB of 10 MB are shown. The download has all of it."
    assert len(shown.body.split("\n")) == SHOWN_HEX_BYTES / 16


@pytest.mark.parametrize("extra", range(4))
def test_the_cut_may_split_a_character(extra: int) -> None:
    data = b"x" * extra + "😀".encode() * (SHOWN_BYTES // 4 + 10)
    assert show(data, len(data), "text").view == "raw"


def test_style_sheet_has_both_themes_and_touches_nothing_else() -> None:
    rules = [line for line in style_sheet().split("\n") if "{" in line and not line.startswith("@media")]
    assert all(".code ." in rule for rule in rules)
    assert "@media (prefers-color-scheme: dark)" in style_sheet()
    assert "[data-bs-theme=dark] .code" in style_sheet()
