"""LINKS: the links that it makes, and the sentence about each that cannot be used."""

import pytest

from infra.errors import SettingsError
from infra.settings import viewer_settings
from infra.settings.link_templates import MAX_TEMPLATES, LinkTemplate, link_templates

ORDERS = LinkTemplate("order_id", "https://admin.example.com/orders/{value}")
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "p",
    "PUSH_AUDIENCE": "https://a.example",
    "PUSH_ENDPOINT": "https://r.example",
    "PUSH_SERVICE_ACCOUNT": "push@p.iam.gserviceaccount.com",
    "SECRET_KEY": "x" * 32,
    "SUBSCRIPTIONS": "builds",
}
PEOPLE = LinkTemplate("data.user.id", "https://crm.example.com:8443/?user={value}&tab=1#top")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("", ()),
        (" , \n ", ()),
        ("order_id = https://admin.example.com/orders/{value}", (ORDERS,)),
        ("order_id=https://admin.example.com/orders/{value}", (ORDERS,)),
        (f"order_id = {ORDERS.address},\n data.user.id={PEOPLE.address}\n", (ORDERS, PEOPLE)),
        ("a=b = https://h/{value}", (LinkTemplate("a=b", "https://h/{value}"),)),
        ("two words = https://h/{value}?a=b", (LinkTemplate("two words", "https://h/{value}?a=b"),)),
        (
            "id = https://h/{value}, id = https://g/{value}",
            (LinkTemplate("id", "https://h/{value}"), LinkTemplate("id", "https://g/{value}")),
        ),
        ("id = HTTPS://h/{value}", (LinkTemplate("id", "HTTPS://h/{value}"),)),
    ],
)
def test_links_are_read_by_lines_and_commas(text: str, links: tuple[LinkTemplate, ...]) -> None:
    assert link_templates(text) == links


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("order_id", "'order_id' has no name before = or no address behind it"),
        ("= https://h/{value}", "has no name before ="),
        ("id = /orders/{value}", "no address behind it"),
        ("id = http://h/{value}", "does not begin with https://"),
        ("id = javascript:alert({value})", "does not begin with https://"),
        ("id = https://h/orders", "has {value} nowhere"),
        ("id = https://h/{value}/{value}", "has {value} more than once"),
        ("id = https://{value}.example.com/", "the host is not fixed"),
        ("id = https://example.com{value}/", "the host is not fixed"),
        ("id = https://example.com?{value}", "the host is not fixed"),
        ("id = https://user:password@h/{value}", "the host is not fixed"),
        ("id = https://h\\@g/{value}", "the host is not fixed"),
        ("id = https:///{value}", "the host is not fixed"),
        ("id = https://-h/{value}", "the host is not fixed"),
        ("id = https://größe.example/{value}", "the host is not fixed"),
        ("id = https://h/{value}/{name}", "must be percent-encoded"),
        ("id = https://h/a b/{value}", "must be percent-encoded"),
        ('id = https://h/"{value}', "must be percent-encoded"),
        ("id = https://h/\\{value}", "must be percent-encoded"),
        ("id = https://h/é/{value}", "must be percent-encoded"),
        ("id = https://h/a,b/{value}", "has {value} nowhere"),
    ],
)
def test_link_that_cannot_be_used_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        viewer_settings({**ENVIRONMENT, "LINKS": text})
    assert problem in str(refused.value)
    assert str(refused.value).startswith("LINKS is ")


def test_links_are_bounded() -> None:
    assert len(link_templates(",".join(["id=https://h/{value}"] * MAX_TEMPLATES))) == MAX_TEMPLATES
    with pytest.raises(ValueError, match="at most 20 links, and it has 21"):
        link_templates(",".join(["id=https://h/{value}"] * (MAX_TEMPLATES + 1)))
