"""Text terms: they find what a payload means as well as what was sent, in any case and composition of letters."""

import json
import unicodedata
from datetime import UTC, datetime
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.chunks import INLINE_BYTES
from infra.messages.masking import Mask
from infra.query import parse, quoted
from infra.query.json_escapes import without_escapes
from tests.support.cpu_cost import assert_cheap
from tests.support.received import message

NOW = datetime(2026, 11, 23, 10, 42, 7, tzinfo=UTC)
MANY = r"\n" * 200
ESCAPED = {
    r'{"city":"M\u00fcnchen"}': ("München", "MÜNCHEN", r"m\u00fcnchen", '"city":"münchen"'),
    r'{"url":"https:\/\/shop.example\/order\/7"}': ("shop.example/order/7", r"shop.example\/order"),
    r'{"url":"https://shop.example/?a=1\u0026b=2"}': ("a=1&b=2",),
    r'{"t":"she said \"hello there\""}': ('said "hello there"', r"\"hello"),
    r'{"t":"C:\\new\\u0041\nline"}': (r"C:\new\u0041", "\nline"),
    r'{"t":"\ud83d\ude00 \uD83E\uDEE8"}': ("😀 🫨",),
    r'{"t":"Mu\u0308ller"}': ("Müller", "mu\u0308ller", "Mu"),
}


@pytest.mark.parametrize("padding", [0, INLINE_BYTES], ids=["inline", "only the preview"])
@pytest.mark.parametrize(("sent", "wanted"), [(sent, wanted) for sent, many in ESCAPED.items() for wanted in many])
def test_text_finds_what_was_sent_and_what_it_means(sent: str, wanted: str, padding: int) -> None:
    stored = message((sent[:-1] + f',"rest":"{"x" * padding}"}}').encode())
    assert parse(quoted(wanted), NOW).matches(stored)
    assert not parse(f"-{quoted(wanted)}", NOW).matches(stored)
    assert not parse(quoted(wanted + "§"), NOW).matches(stored)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"C:\Users\me", r"C:\Users\me"),
        (r"\\u0041", r"\u0041"),
        (r"\\\u0041", r"\A"),
        ("cut \\", "cut \\"),
        (r"cut \u00", r"cut \u00"),
        (r"\U0001f600 \U00110000", r"😀 \U00110000"),
        ('"a"\n"b\\tc"', '"a"\n"b\tc"'),
        (r"\"\/\b\f", '"/\b\f'),
    ],
)
def test_escapes_of_any_text_are_resolved(text: str, meant: str) -> None:
    assert without_escapes(text) == meant


@given(st.text(), st.booleans())
def test_escapes_of_json_give_its_strings(text: str, ascii_only: bool) -> None:
    assert without_escapes(json.dumps(text, ensure_ascii=ascii_only)) == f'"{text}"'


@given(st.text(st.sampled_from('\\"u0d8\t/nU')))
def test_few_and_many_escapes_are_resolved_alike(text: str) -> None:
    assert without_escapes(f"{text} {MANY}") == without_escapes(text) + " " + "\n" * 200


Form = Literal["NFC", "NFD"]


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("typed", ["Müller", "müller", "ÅNGSTRÖM", "각", "e\u0301\u0323"])
def test_composed_and_decomposed_letters_are_the_same(typed: str, form: Form) -> None:
    sent = unicodedata.normalize("NFD" if form == "NFC" else "NFC", f"photos/{typed}.pdf")
    stored = message(json.dumps({"name": sent}, ensure_ascii=False).encode(), attributes={"objectId": sent, sent: "x"})
    wanted = quoted(unicodedata.normalize(form, typed))
    for q in (wanted, f"objectId~{wanted}", f"data.name~{wanted}", f"data.*~{wanted}"):
        assert parse(q, NOW).matches(stored), q
    assert not parse(f"objectId={quoted(f'photos/{typed}.pdf')} -objectId~", NOW).matches(stored)


def test_large_payload_is_found_by_composed_letters_in_a_field() -> None:
    stored = message(json.dumps({"name": "Mu\u0308ller", "rest": "x" * INLINE_BYTES}).encode())
    assert stored.data is None
    assert parse("data.name~müller", NOW).matches(stored)


def test_masked_value_is_not_found_by_its_meaning() -> None:
    sent = r'{"größe":"M\u00fcnchen","rest":"' + "x" * INLINE_BYTES + '"}'
    for text in (sent, unicodedata.normalize("NFD", sent[:60]) + '"}'):
        masked = Mask(("data.größe",)).see(message(text.encode()))
        for wanted in ("München", "Mu\u0308nchen", r"M\u00fcnchen", "nchen"):
            assert not parse(quoted(wanted), NOW).matches(masked)


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 16_000,
        r"\n" * 8_000,
        r"\q" * 8_000,
        r"\u00e9" * 2_600,
        '\\"' * 8_000,
        "a" + "\u0301\u0323" * 3_900,
        "\u0344" * 8_000,
    ],
    ids=["backslashes", "short", "no escapes", "long", "quotes", "accents", "accents in one"],
)
def test_hostile_payload_is_searched_cheaply(text: str) -> None:
    stored, query = message(text.encode()), parse("nowhere OR nöwhere", NOW)
    assert_cheap(lambda: query.matches(stored), loops=1)
