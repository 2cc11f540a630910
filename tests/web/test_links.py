"""A filter's address means exactly the attribute it was made of."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.query import parse
from tests.web.stage import START, stored_message
from web.links import exclude_link, filter_link


@pytest.mark.parametrize(
    ("key", "value", "link"),
    [
        ("status", "FAILED", "/messages?q=status%3DFAILED"),
        ("status", "not yet", "/messages?q=status%3D%22not+yet%22"),
        ("a=b", '"', "/messages?q=%22a%3Db%22%3D%22%5C%22%22"),
    ],
)
def test_links(key: str, value: str, link: str) -> None:
    assert filter_link(key, value) == link


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.text(st.characters(codec="utf-8"), max_size=40)
)
def test_a_link_finds_its_message(key: str, value: str) -> None:
    link = urlsplit(filter_link(key, value))
    assert (link.scheme, link.netloc, link.path) == ("", "", "/messages")
    query = parse(parse_qs(link.query)["q"][0], START)
    message = stored_message(1)
    assert query.matches(replace(message, attributes={key: value}))
    assert not query.matches(replace(message, attributes={key: value + "x"}))
    without = parse(parse_qs(urlsplit(exclude_link(key, value)).query)["q"][0], START)
    assert not without.matches(replace(message, attributes={key: value}))
    assert without.matches(message)
