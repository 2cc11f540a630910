"""Masking, proved on a corpus: no layout, escape, cut or size of JSON lets a masked value through."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.messages.json_scalars import BYTE_ORDER_MARK
from infra.messages.masking import Mask
from infra.messages.message import PREVIEW_CHARACTERS, Message
from tests.support.json_corpus import MASKED_FIELDS, SECRET_CHARACTERS, documents
from tests.support.received import message_with

MASK = Mask(MASKED_FIELDS)
SECRET = re.compile(f"[{SECRET_CHARACTERS}]")
SEEDS = 4
DOCUMENTS = 2_100
CUTS = 8
LOOKS = 4 + CUTS
# How version 0.1.0 wrote these characters into previews.
WRITTEN_OUT = str.maketrans(
    {
        "\t": r"\t",
        "\n": r"\n",
        "\r": r"\r",
        "\u00a0": r"\u00a0",
        "\u200b": r"\u200b",
        "\u200d": r"\u200d",
        "\u2028": r"\u2028",
        "\ufeff": r"\ufeff",
        "\U000e0001": r"\U000e0001",
    }
)


def earlier_preview(text: str) -> str:
    """Return the preview that version 0.1.0 stored: a tab between two tokens is written out."""
    lines = (line.strip(" \t") for line in text[: PREVIEW_CHARACTERS * 4].replace("\r", "\n").split("\n"))
    return " ".join(filter(None, lines))[:PREVIEW_CHARACTERS].translate(WRITTEN_OUT)[:PREVIEW_CHARACTERS]


def looks(text: str, cut: float) -> Iterator[str]:
    """Yield all that the mask lets a viewer see of one document, whole and cut."""
    sent = text.encode()
    inline = message_with(sent)
    apart = replace(inline, data=None, chunks=1)
    yield shown(inline)
    yield shown(apart)
    yield preview_of(apart, earlier_preview(text))
    yield preview_of(apart, text.translate(WRITTEN_OUT)[: int(cut * PREVIEW_CHARACTERS)])
    for part in range(CUTS):
        yield (MASK.see_payload(sent[: int((part + cut) / CUTS * len(sent))], apart) or b"").decode(errors="replace")


def shown(stored: Message) -> str:
    masked = MASK.see(stored)
    return f"{masked.preview} {(masked.data or b'').decode()} {masked.tokens}"


def preview_of(stored: Message, preview: str) -> str:
    return MASK.see(replace(stored, preview=preview)).preview


@pytest.mark.parametrize("seed", range(SEEDS))
def test_corpus_of_json_shows_no_masked_value(seed: int) -> None:
    cuts = random.Random(seed)
    seen = hidden = 0
    for text in documents(DOCUMENTS, seed):
        for look in looks(text, cuts.random()):
            seen += 1
            hidden += "•••" in look
            assert not SECRET.search(look), f"{text!r} shows {look!r}"
    assert seen * SEEDS == DOCUMENTS * LOOKS * SEEDS >= 100_000
    assert hidden > seen / 2, "most looks reach a masked member"


def test_corpus_is_json_with_secrets() -> None:
    made = list(documents(500, seed=1))
    assert all(SECRET.search(text) for text in made)
    assert all(json.loads(text.removeprefix("\ufeff")) for text in made)
    assert all(message_with(text.encode()).kind == "json" for text in made)
    assert {"\t", "\n", "\r\n", "\r", " "} < {space for text in made for space in re.findall(r"[ \t\r\n]+", text)}
    assert {text[0] for text in made} >= set("\ufeff{[\t ")


def test_large_document_shows_no_masked_value() -> None:
    for text in documents(40, seed=3):
        for size in (17 * 1024, 120 * 1024):
            rest = f'{{"rest":"{"x" * size}"}}'
            large = f"[{text.removeprefix(BYTE_ORDER_MARK)},{rest}]"
            assert "•••" in shown(replace(message_with(large.encode()), data=None, chunks=1))
