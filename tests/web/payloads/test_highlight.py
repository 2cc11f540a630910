"""Rendered payloads: layout by white space only, escaped, and cut with a note."""

import base64
import gzip
import re

import pytest
from markupsafe import Markup

from tests.support.cpu_cost import assert_cheap
from web.payloads.highlight import colour, lay_out, style_sheet
from web.payloads.render import SHOWN_BYTES, SHOWN_HEX_BYTES, render


@pytest.mark.parametrize(
    ("text", "laid_out"),
    [
        ("{}", "{}"),
        ("[ ]", "[]"),
        ("\ufeff[ ]", "[]"),
        ('\ufeff{"a":"\ufeff"}', '{\n  "a": "\ufeff"\n}'),
        ('{"a":1}', '{\n  "a": 1\n}'),
        ('{"b":1,"a":{},"b":[]}', '{\n  "b": 1,\n  "a": {},\n  "b": []\n}'),
        ("[1.0,1e400,-0,12345678901234567890]", "[\n  1.0,\n  1e400,\n  -0,\n  12345678901234567890\n]"),
        ('{"a" :\n\t"x  y, {z}"}', '{\n  "a": "x  y, {z}"\n}'),
        (r'["\"\\", "é"]', '[\n  "\\"\\\\",\n  "é"\n]'),
        ('{"cut":"in the mid', '{\n  "cut": "in the mid'),
        ("]]", "\n]\n]"),
    ],
)
def test_layout_adds_line_breaks_and_indents(text: str, laid_out: str) -> None:
    assert lay_out(text) == laid_out


def test_layout_changes_white_space_only() -> None:
    text = '{"b":[1,2.50,{"x":"a\\u0041 b"}],"b":null,"":true}'
    outside = re.compile(r"\s+")
    assert outside.sub("", lay_out(text) or "") == outside.sub("", text)


def test_too_long_layout_is_refused() -> None:
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
def test_payload_never_becomes_markup(hostile: str, language: str) -> None:
    spans = colour(hostile, language)  # type: ignore[arg-type]
    tags = set(re.findall(r"<[^>]*>", spans))
    assert all(re.fullmatch(r'</span>|<span class="[a-z0-9]+">|<span></span>', tag) for tag in tags), tags
    assert Markup(spans).striptags() == " ".join(hostile.split()), "the text itself is as it was sent"


def test_hidden_characters_are_written_out() -> None:
    assert Markup(colour("a\u202eb\x00\r\n\tc", "text")).unescape() == "a\\u202eb\\u0000\\r\n\tc"


@pytest.mark.parametrize(
    ("data", "kind", "wanted", "view", "views"),
    [
        (b'{"a":1}', "json", None, "pretty", ("pretty", "tree", "raw", "hex")),
        (b'{"a":1}', "json", "raw", "raw", ("pretty", "tree", "raw", "hex")),
        (b'{"a":1}', "json", "nonsense", "pretty", ("pretty", "tree", "raw", "hex")),
        (b'{"a":1}', "json", "tree", "tree", ("pretty", "tree", "raw", "hex")),
        (b"hello", "text", None, "raw", ("raw", "hex")),
        (b"aGVsbG8gdGhlcmUsIHlvdQ==", "text", None, "raw", ("raw", "hex", "decoded")),
        (b"\x1f\x8b\x08\x00", "binary", None, "hex", ("hex", "decoded")),
        (b"\x1f\x8b\x08\x00", "binary", "decoded", "decoded", ("hex", "decoded")),
        (b"hello", "text", "pretty", "raw", ("raw", "hex")),
        (b"\xff\x00", "binary", None, "hex", ("hex",)),
        (b"\xff\x00", "text", None, "hex", ("hex",)),
        (b"\xff\x00", "made up", None, "hex", ("hex",)),
        (b"", "empty", None, None, ()),
    ],
)
def test_payload_has_the_right_views(
    data: bytes, kind: str, wanted: str | None, view: str | None, views: tuple[str, ...]
) -> None:
    shown = render(data, len(data), kind, wanted)  # type: ignore[arg-type]
    assert (shown.view, shown.views, shown.note) == (view, views, "")


@pytest.mark.parametrize(
    ("data", "drawn_as", "text", "origin"),
    [
        (
            gzip.compress(b'{"b":1.0,"a":2}', mtime=0),
            "pretty",
            '{\n  "b": 1.0,\n  "a": 2\n}',
            "gzip (35 B) of JSON (15 B).",
        ),
        (base64.b64encode(b"<b>hello</b> there"), "raw", "<b>hello</b> there", "base64 (24 B) of text (18 B)."),
        (
            base64.b64encode(gzip.compress(b"\xff\x01", mtime=0)),
            "hex",
            "00000000  ff 01                                             ··",
            "base64 (32 B) of gzip (22 B) of bytes (2 B).",
        ),
        (gzip.compress(b"[1] and so on", mtime=0), "raw", "[1] and so on", "gzip (33 B) of text (13 B)."),
        (gzip.compress(b"", mtime=0), "raw", "", "gzip (20 B) of nothing (0 B)."),
        (b"\x1f\x8b\x08\x00", "hex", "00000000  1f 8b 08 00", "The gzip data ends early."),
    ],
)
def test_decoded_payload_is_drawn_by_its_kind(data: bytes, drawn_as: str, text: str, origin: str) -> None:
    shown = render(data, len(data), "text" if data.isascii() else "binary", "decoded")
    assert (shown.view, shown.drawn_as, shown.origin, shown.note) == ("decoded", drawn_as, origin, "")
    assert Markup(re.sub("<[^>]*>", "", shown.body)).unescape().startswith(text)


def test_long_decoded_payload_is_cut_with_a_note() -> None:
    packed = gzip.compress(b"x" * 5_000_000, mtime=0)
    shown = render(packed, len(packed), "binary", "decoded")
    assert shown.origin.endswith("of text (1.0 MB). The decoded data is longer; it is cut after 1 MB.")
    assert shown.note == "The first 128 kB of 1.0 MB are shown. The download has the payload as it was sent."
    head = render(packed[:500], len(packed), "binary", "decoded")
    assert head.origin.endswith("Only the beginning was read.")


CUT_NOTE = "The first 128 kB of 256 kB are shown. The download has all of it."


@pytest.mark.parametrize(
    ("data", "size_bytes", "kind", "text", "note"),
    [
        (b"Z\xfcrich <b>", 10, "binary", r"Z\xfcrich <b>", r"1 byte that is not UTF-8 is written like \xfc."),
        (
            b"na\xefve caf\xe9s\nwere here \x1b[0m",
            26,
            "text",
            "na\\xefve caf\\xe9s\nwere here \\u001b[0m",
            r"2 bytes that are not UTF-8 are written like \xfc.",
        ),
        (
            b"a\xfc" + "é".encode() * SHOWN_BYTES,
            2 * SHOWN_BYTES + 2,
            "binary",
            "a\\xfc" + "é" * (SHOWN_BYTES // 2 - 1),
            CUT_NOTE + r" 1 byte that is not UTF-8 is written like \xfc.",
        ),
        (
            b"plain so far",
            10_000_000,
            "binary",
            "plain so far",
            "The first 12 B of 10 MB are shown. The download has all of it.",
        ),
    ],
)
def test_text_with_a_few_other_bytes_is_shown_with_marks(
    data: bytes, size_bytes: int, kind: str, text: str, note: str
) -> None:
    shown = render(data, size_bytes, kind)  # type: ignore[arg-type]
    assert (shown.view, shown.views, shown.note, shown.is_marked) == ("raw", ("raw", "hex"), note, True)
    assert Markup(re.sub("<[^>]*>", "", shown.body)).unescape() == text
    as_hex = render(data, size_bytes, kind, "hex")  # type: ignore[arg-type]
    assert (as_hex.view, as_hex.is_marked) == ("hex", False)


def test_decoded_text_with_a_few_other_bytes_is_shown_with_marks() -> None:
    packed = gzip.compress(b"Z\xfcrich <b>", mtime=0)
    shown = render(packed, len(packed), "binary", "decoded")
    assert (shown.drawn_as, shown.origin) == ("raw", "gzip (30 B) of bytes (10 B).")
    assert shown.note == r"1 byte that is not UTF-8 is written like \xfc."


def test_cut_tree_has_a_note() -> None:
    data = b"[" + b"1," * 64_500
    shown = render(data, len(data) + 1, "json", "tree")
    assert shown.note == (
        "The first 128 kB of 129,002 bytes are shown. The download has all of it. The tree ends after 20,000 values."
    )


def test_hex_view_has_rows_of_sixteen_bytes() -> None:
    shown = render(b"<b>\x00" + b"A" * 14, 18, "binary")
    assert shown.body.unescape().split("\n") == [
        "00000000  3c 62 3e 00 41 41 41 41  41 41 41 41 41 41 41 41  <b>·AAAAAAAAAAAA",
        "00000010  41 41                                             AA",
    ]


def test_large_payload_is_cut_with_a_note() -> None:
    shown = render(b"x" * SHOWN_BYTES, 10_000_000, "text")
    assert shown.note == "The first 128 kB of 10 MB are shown. The download has all of it."
    assert render(b"x" * SHOWN_BYTES, SHOWN_BYTES, "text").note == ""
    shown = render(b"\xff" * 900_000, 10_000_000, "binary")
    assert shown.note == "The first 8.0 kB of 10 MB are shown. The download has all of it."
    assert len(shown.body.split("\n")) == SHOWN_HEX_BYTES / 16


@pytest.mark.parametrize("extra", range(4))
def test_cut_may_split_a_character(extra: int) -> None:
    data = b"x" * extra + "😀".encode() * (SHOWN_BYTES // 4 + 10)
    assert render(data, len(data), "text").view == "raw"


def test_style_sheet_has_both_themes_for_code_only() -> None:
    rules = [line for line in style_sheet().split("\n") if "{" in line and not line.startswith("@media")]
    assert all(".code ." in rule for rule in rules)
    assert "@media (prefers-color-scheme: dark)" in style_sheet()
    assert "[data-bs-theme=dark] .code" in style_sheet()


@pytest.mark.parametrize("hostile", ["<" + "&" * 131_071, "<!--" * 32_768, "<a " * 43_690], ids=["&", "<!--", "<a"])
def test_text_that_starts_like_xml_is_coloured_cheaply(hostile: str) -> None:
    """Pygments' XML lexer takes quadratic time: 1.5 s for 16 kB of this, in the process that serves every reader."""
    assert Markup(colour(hostile, "xml")).unescape() == hostile
    assert_cheap(lambda: colour(hostile, "xml"), loops=50)
