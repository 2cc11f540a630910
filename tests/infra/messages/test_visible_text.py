"""Characters that are shown, and those that are written out because they hide or reorder others."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.messages.message import PREVIEW_CHARACTERS, read_content
from infra.messages.visible_text import is_visible, visible, visible_start
from tests.support.cpu_cost import assert_cheap

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 世界 🙂",
        "می\u200cخواهم",  # Persian
        "۲۰\u200cام 10\u200cها Excel\u200cهای",
        "۱۴۰۰ ه\u200d. ش",
        "क्\u200dष और क्\u200cष",  # Hindi
        "র\u200d্যাব",  # Bengali: the joiner is before the virama
        "ශ්\u200dරී",  # Sinhala
        "ന്\u200d",  # Malayalam, at the end of a word
        "ប៉\u200cី",  # Khmer
        "ᠨᠠᠢᠮ\u180eᠠ ᠠ\u180b",  # Mongolian
        "東京都\u3000渋谷区",
        "10\u00a0000\u202f€, em\u2003space, \u1680",
        "👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 👩🏽\u200d⚕\ufe0f ❤\ufe0f\u200d🔥 🐦\u200d⬛ 🙂\u200d↔\ufe0f",
        "1\ufe0f\u20e3 #\ufe0f\u20e3 ☎\ufe0e 🇩🇪 " + ENGLAND,
        "葛\U000e0100城市 神\ufe00",
        "\U0001fae8",  # newer than the tables of Python 3.11
        "\U0001fadf\U0001c8a0\u0cf3\U0002ebf0\U00011bc0",
        "\U000323b0\U000e1fff",  # not assigned in Unicode 17
        "ÅÅ\u0308 ᄀ가 שָׁלוֹם العربية ไทย \ufffd\ufffc\u2800",
    ],
)
def test_letters_of_every_script_are_shown(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\r\n", "a\\tb\\r\\n"),
        ("\x00\x1b[31m\x7f\x85\x9b", "\\u0000\\u001b[31m\\u007f\\u0085\\u009b"),
        ("a\u202eb\u2066c\u061cd\u200ee\u200f", "a\\u202eb\\u2066c\\u061cd\\u200ee\\u200f"),
        ("a\u200bb\u2060c\ufeffd\u00ade\u034ff", "a\\u200bb\\u2060c\\ufeffd\\u00ade\\u034ff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ud800 \udfff", "\\ud800 \\udfff"),
        ("\ue000\uf8ff\U000f0000\U0010fffd", "\\ue000\\uf8ff\\U000f0000\\U0010fffd"),
        ("\ufdd0\uffff\U0001fffe\U0008ffff", "\\ufdd0\\uffff\\U0001fffe\\U0008ffff"),
        ("\u3164\uffa0\u115f\u1160\u17b4", "\\u3164\\uffa0\\u115f\\u1160\\u17b4"),
        ("\ufff9a\ufffab\ufffb", "\\ufff9a\\ufffab\\ufffb"),
        ("\U000e0001\U000e0041", "\\U000e0001\\U000e0041"),
        ("\U0001d173\U0001bca0", "\\U0001d173\\U0001bca0"),
        # Joiners, variation selectors and tags that change no shown character.
        ("ad\u200cmin ad\u200dmin", "ad\\u200cmin ad\\u200dmin"),
        ("\u200cمن \u200d", "\\u200cمن \\u200d"),
        ("می\u200c\u200cخ", "می\u200c\\u200cخ"),
        ("\xad\u200cم", "\\u00ad\\u200cم"),
        ("👨\u200d", "👨\\u200d"),
        ("👨\u200d\u200d👩", "👨\\u200d\\u200d👩"),
        ("a\ufe0f 1\ufe0f 🙂\ufe0f\ufe01", "a\\ufe0f 1\\ufe0f 🙂\ufe0f\\ufe01"),
        ("a\U000e0100 葛\U000e0100\U000e0101", "a\\U000e0100 葛\U000e0100\\U000e0101"),
        ("a\u180b ᠠ\u180e", "a\\u180b ᠠ\\u180e"),
        (ENGLAND[1:], "\\U000e0067\\U000e0062\\U000e0065\\U000e006e\\U000e0067\\U000e007f"),
        ("🏴\U000e0061\U000e007f", "🏴\\U000e0061\\U000e007f"),
        (ENGLAND[:-1], "🏴\\U000e0067\\U000e0062\\U000e0065\\U000e006e\\U000e0067"),
    ],
)
def test_characters_that_hide_or_reorder_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert not is_visible(text)


CHARACTERS = st.characters() | st.sampled_from("\u200c\u200d\ufe0f\u180e\u180b\u20e3مक👨❤1葛ᠠ\xad\u202e" + ENGLAND)


@given(st.text(CHARACTERS))
@example(ENGLAND + ENGLAND)
def test_shown_text_hides_nothing_more_and_can_be_read_back(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    shown.encode()
    if "\\" not in text:
        assert re.sub(r"\\u(....)|\\U(.{8})|\\[nrt]", _unescape, shown) == text


def _unescape(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else {"\\n": "\n", "\\r": "\r", "\\t": "\t"}[escape[0]]


@given(st.text(CHARACTERS, max_size=30), st.integers(1, 30))
def test_start_is_cut_between_whole_sequences(text: str, length: int) -> None:
    start = visible_start(text, length)
    assert len(start) <= length
    assert is_visible(start)
    assert visible(text).startswith(start)


def test_preview_of_persian_text_is_not_cut_within_an_escape() -> None:
    text = "x" * (PREVIEW_CHARACTERS - 2) + "ی\u200cخ"
    assert read_content(text.encode()).preview == text[: PREVIEW_CHARACTERS - 1]


@pytest.mark.parametrize("hostile", ["\U000e0041", "\u200d", "👨\u200d", "\x00", "\ufe0f1", ENGLAND])
def test_hostile_text_is_written_out_in_linear_time(hostile: str) -> None:
    assert_cheap(lambda: visible(hostile * (100_000 // len(hostile))), loops=60)
