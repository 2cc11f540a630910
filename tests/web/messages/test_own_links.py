"""Links of the deployment: a value reaches neither the host nor another folder, and a hidden value makes none."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.messages.masking import Mask
from infra.settings.link_templates import link_templates
from tests.support.received import message
from web.messages.own_links import OwnLink, own_links

TEMPLATES = link_templates(
    "order = https://admin.example.com/orders/{value}, data.user.id = https://crm.example.com/?user={value}#top,"
    "data.items.*.id = https://shop.example.com/i/{value}/edit"
)
ORDER = TEMPLATES[0]


def addresses(value: str) -> list[str]:
    return [link.address for link in own_links(message(attributes={"order": value}), TEMPLATES)]


def test_values_of_attributes_and_fields_are_linked_in_the_order_of_the_setting() -> None:
    items = b'[{"id": "a"}, {"id": "b"}, {"id": "a"}, {"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]'
    data = b'{"user": {"id": 42}, "items": ' + items + b"}"
    links = own_links(message(data, attributes={"order": "o-1001"}), TEMPLATES)
    assert links[0] == OwnLink("order", "o-1001", "https://admin.example.com/orders/o-1001", "admin.example.com")
    assert [link.address for link in links[1:]] == [
        "https://crm.example.com/?user=42#top",
        *(f"https://shop.example.com/i/{value}/edit" for value in ("a", "b", "1", "2", "3")),
    ]
    assert own_links(message(b"text"), TEMPLATES) == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a/b?c#d&e=f", "a%2Fb%3Fc%23d%26e%3Df"),
        ("@evil.example", "%40evil.example"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("\\\\evil.example", "%5C%5Cevil.example"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("..\t", "..%09"),
        ("%2e%2e", "%252e%252e"),
        ("ü \u202e", "%C3%BC%20%E2%80%AE"),
        ("{value}", "%7Bvalue%7D"),
        ("...", "..."),
    ],
)
def test_value_is_percent_encoded(value: str, written: str) -> None:
    assert addresses(value) == [f"https://admin.example.com/orders/{written}"]


@pytest.mark.parametrize("value", ["", ".", "..", "•••", "x" * 1_001, "\ud800"])
def test_value_that_cannot_be_linked_makes_no_link(value: str) -> None:
    assert addresses(value) == []


@given(st.text(max_size=30))
def test_every_value_stays_the_last_step_of_the_path(value: str) -> None:
    for address in addresses(value):
        parts = urlsplit(address)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "admin.example.com", "", "")
        assert parts.path.count("/") == 2
        assert unquote(parts.path.removeprefix("/orders/")) == value


def test_masked_values_make_no_links() -> None:
    sent = message(b'{"user": {"id": 42}}', attributes={"order": "o-1001"})
    assert len(own_links(sent, TEMPLATES)) == 2
    assert own_links(Mask(("order", "data.user")).see(sent), TEMPLATES) == []
    assert own_links(Mask(("order", "data")).see(sent), TEMPLATES) == []
