"""Filter links find exactly the attribute that they were made of."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.query import MAX_CHARACTERS, parse
from tests.support.firestore.writer import START, Writer, stored_message
from tests.support.viewer.visitor import Visitor
from web.filters.links import exclude_link, filter_link


@pytest.mark.parametrize(
    ("key", "value", "link"),
    [
        ("status", "FAILED", "/messages?q=status%3DFAILED"),
        ("status", "not yet", "/messages?q=status%3D%22not+yet%22"),
        ("a=b", '"', "/messages?q=%22a%3Db%22%3D%22%5C%22%22"),
    ],
)
def test_filter_links(key: str, value: str, link: str) -> None:
    assert filter_link(key, value) == link


def test_too_long_value_has_no_link() -> None:
    fits = "x" * (MAX_CHARACTERS - len("-key="))
    assert filter_link("key", fits)
    assert exclude_link("key", fits)
    assert filter_link("key", fits + "x")
    assert exclude_link("key", fits + "x") == ""
    assert filter_link("key", "\u0001" * 1_000) == ""


def test_too_long_value_is_shown_without_a_link(viewer: Visitor, writer: Writer) -> None:
    document = writer.message(attributes={"long": "\u0001" * 1_000, "short": "s"})
    for page in (viewer.get("/messages").text, viewer.get(f"/messages/{document}").text):
        assert "long%22%3D" not in page
        assert "q=long" not in page
        assert 'href="/messages?q=short%3Ds"' in page
    row = viewer.get("/messages").text.split(f'data-id="{document}"', 1)[1].split("</tr>", 1)[0]
    assert '<span class="chip" title="long=' in row
    writer.delete(document)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.text(st.characters(codec="utf-8"), max_size=40)
)
def test_link_finds_its_message(key: str, value: str) -> None:
    link = urlsplit(filter_link(key, value))
    assert (link.scheme, link.netloc, link.path) == ("", "", "/messages")
    query = parse(parse_qs(link.query)["q"][0], START)
    message = stored_message(1)
    assert query.matches(replace(message, attributes={key: value}))
    assert not query.matches(replace(message, attributes={key: value + "x"}))
    without = parse(parse_qs(urlsplit(exclude_link(key, value)).query)["q"][0], START)
    assert not without.matches(replace(message, attributes={key: value}))
    assert without.matches(message)
