"""Each way of showing a masked message, on the corpus of JSON: row, cells, summary, views, record, frame, filters."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.messages.masking import Mask
from infra.messages.message import Message
from infra.messages.record import record, summary
from infra.query import parse
from tests.support.json_corpus import MASKED_FIELDS, SECRET_CHARACTERS, documents
from tests.support.received import message_with
from web.filters.columns import cells, offered, value, whole_value
from web.live.masked_rows import MaskedRows
from web.messages.summaries import summarise
from web.payloads.render import render

MASK = Mask(MASKED_FIELDS)
SECRET = re.compile(f"[{SECRET_CHARACTERS}]")
COLUMNS = ("data.ssn", "data.SSN", "data.*", "data.*.*", "data.0.ssn", "data.card.number", "data.my.ssn", "data.größe")
FILTERS = [
    parse(q, datetime(2026, 1, 1, tzinfo=UTC))
    for q in (
        *("q", "9", "QX", "data.*~q OR data.*.*~q", "data.*~9 OR data.*.*~9", "data.ssn=9 OR data.ssn=QX"),
        # Values that everyone may see are 1 and -0.10.
        "data.*>2 OR data.*.*>2 OR data.*<-1 OR data.*.*<-1",
        "data.ssn>0 OR data.ssn<=0 OR data.ssn:-1e99..1e99 OR data.ssn>2026-01-01",
        "/[95]/ OR data.*=~/[9q]/ OR data.*.*=~/[9q]/",
        "-(-data.ssn>=9 data.card.number!=9)",
    )
]


def ways(stored: Message, payload: bytes) -> Iterator[str]:
    """Yield each text that a page, the stream or the API makes of a message that went through the mask."""
    columns = COLUMNS if stored.data is not None else COLUMNS[:2]
    yield " ".join(f"{cell.text} {cell.title}" for cell in cells(stored, columns))
    yield " ".join(str(value(stored, name)) + str(whole_value(stored, payload, name)) for name in columns)
    yield summarise(stored) + " ".join(offered([stored], ()))
    yield json.dumps([summary(stored)["preview"], summary(stored)["attributes"], record(stored, payload)["data"]])
    for view in ("pretty", "tree", "raw", "decoded"):
        yield re.sub(r"<[^>]*>", " ", render(payload, len(payload), stored.kind, view).body)


def row_of(stored: Message) -> str:
    """Return the words of the row of the live stream, and its suggestions; its times and sizes have other digits."""
    html = MaskedRows(MASK).row_with(("data.ssn", "data.*"))(stored)
    return "".join(re.findall(r'class="(?:preview|column)[^>]*>.*?</|data-facets="[^"]*"', html, re.DOTALL))


@pytest.mark.parametrize("inline", [True, False], ids=["small", "large"])
def test_no_way_shows_a_masked_value(inline: bool) -> None:
    shown = 0
    for text in documents(120, seed=4):
        sent = message_with(text.encode(), inline=inline)
        masked = MASK.see(sent)
        payload = MASK.see_payload(masked.data or text.encode(), masked) or b""
        for way in (*ways(masked, payload), row_of(sent)):
            assert not SECRET.search(way.replace("&quot;", '"').replace("&#34;", '"')), f"{text!r} shows {way!r}"
            shown += "•••" in way
        assert not [query for query in FILTERS if query.matches(replace(masked, message_id="", id=""))], text
    assert shown > 600
    assert any(query.matches(replace(sent, message_id="")) for query in FILTERS), "the filters find it without a mask"
