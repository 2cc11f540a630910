"""The panel of fields: values with counts beside the list; a click filters by one or excludes it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.messages.message import index_tokens, read_content
from tests.support.browser.actions import filter_of
from tests.support.browser.axe import violations_at_both_sizes
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import PHONE
from tests.support.firestore.writer import Writer
from tests.support.local_cloud import Cloud

MESSAGES, BATCH, FAILED_OF_BATCH = 20_000, 400, 4
HOSTILE = '<img src=x onerror=alert(1)> "q" \\'
REASON = "card issuer did not answer within 3 s"


@pytest.fixture(scope="module")
def incident(module_cloud: Cloud) -> Iterator[Cloud]:
    """A cloud with 20,000 messages of five services in four regions; 1 % fail, all of one service and region."""
    writer = Writer(module_cloud["firestore"], GOOGLE_CLOUD_PROJECT=module_cloud["project"])
    subscription, start = module_cloud["subscription"], datetime.now(UTC) - timedelta(minutes=50)
    for first in range(0, MESSAGES, BATCH):
        number = first // BATCH
        at = start + timedelta(seconds=first / 10)
        service, region = ("pay", "search", "cart", "mail", "stock")[number % 5], ("eu", "us", "asia", "af")[number % 4]
        fine = {"service": service, "region": region, "severity": "INFO"}
        writer.messages(BATCH - FAILED_OF_BATCH, **stored(subscription, at, fine, b'{"status": 200}'))
        failed = {"service": "pay", "region": "eu", "severity": "ERROR"}
        payload = b'{"status": 503, "reason": "%s"}' % REASON.encode()
        writer.messages(FAILED_OF_BATCH, **stored(subscription, at - timedelta(seconds=20), failed, payload))
    yield module_cloud
    writer.close()


def stored(subscription: str, at: datetime, attributes: dict[str, str], payload: bytes) -> dict[str, Any]:
    content = read_content(payload)
    return {
        "subscription": subscription,
        "received_at": at,
        "attributes": attributes,
        "severity": attributes["severity"],
        "tokens": index_tokens(attributes, content.scalars),
        "kind": content.kind,
        "preview": content.preview,
        "data": payload,
        "size_bytes": len(payload),
    }


def open_panel(person: Person) -> None:
    person.page.click("#facets-button")
    person.page.wait_for_selector("#facets .facet li")


def facet(person: Person, label: str) -> dict[str, str]:
    """Return the values of one field with their counts, as shown."""
    section = person.page.locator(".facet", has=person.page.locator("h3", has_text=label)).first
    values = section.locator("li")
    return dict(
        zip(
            values.locator(".facet-value").all_text_contents(),
            values.locator(".facet-count").all_text_contents(),
            strict=True,
        )
    )


def test_five_clicks_lead_from_the_list_to_the_message_that_explains_a_rare_failure(
    visit: Visit, incident: Cloud
) -> None:
    ana = visit(cloud=incident)
    clicks = 0

    def click(selector: str) -> None:
        nonlocal clicks
        clicks += 1
        ana.page.click(selector)

    click("#facets-button")
    assert "ERROR" not in facet(ana, "severity"), "the newest messages have no failure"
    click("#facets-count")
    kept = ana.page.locator(".facet li", has_text="ERROR").locator(".facet-kept")
    assert kept.inner_text() == "● 200"
    click('.facet-value:text-is("ERROR")')
    ana.page.wait_for_selector(".filtered")
    ana.page.wait_for_selector("#facets .facet li")
    assert facet(ana, "service") == {"pay": "50"}
    assert facet(ana, "region") == {"eu": "50"}
    click("tr.message >> nth=0 >> a.preview")
    ana.page.wait_for_selector(f'#drawer :text("{REASON}")')
    assert clicks <= 5


def test_value_filters_by_a_click_and_is_excluded_by_its_button_or_alt(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    for status in ("ok", "ok", "late", "late"):
        last = cloud.publish(b"{}", team=team, status=status)
    ana = visit()
    ana.see(last)
    ana.open(f"/messages?q=team%3D{team}")
    open_panel(ana)
    assert facet(ana, "status") == {"late": "2", "ok": "2"}
    ana.page.click('.facet-value:text-is("late")', modifiers=["Alt"])
    ana.page.wait_for_url("**-status*")
    assert filter_of(ana) == f"team={team} -status=late"
    ana.page.wait_for_selector("#facets .facet li")
    assert len(ana.rows()) == 2, "the panel stays open on the next page"
    ana.open(f"/messages?q=team%3D{team}")
    ana.page.click("[aria-label='Exclude status ok']")
    ana.page.wait_for_url("**-status*")
    assert filter_of(ana) == f"team={team} -status=ok"
    ana.open(f"/messages?q=team%3D{team}")
    ana.page.click('.facet-value:text-is("ok")')
    ana.page.wait_for_url("**status%3Dok*")
    assert filter_of(ana) == f"team={team} status=ok"


def test_live_messages_are_counted_but_not_under_a_pointer(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    for _ in range(2):
        last = cloud.publish(b"{}", team=team, status="ok")
    ana = visit()
    ana.see(last)
    ana.open(f"/messages?q=team%3D{team}")
    ana.wait_until_live()
    open_panel(ana)
    ana.see(cloud.publish(b"{}", team=team, status="ok"))
    ana.page.wait_for_selector('.facet-count:text-is("3")')
    ana.page.hover('.facet-value:text-is("ok")')
    ana.see(cloud.publish(b"{}", team=team, status="ok"))
    ana.page.evaluate("new Promise(resolve => setTimeout(resolve, 600))")
    assert facet(ana, "status") == {"ok": "3"}
    ana.page.mouse.move(900, 5)
    ana.page.wait_for_selector('.facet-count:text-is("4")')


def test_hostile_names_and_values_stay_text_and_can_be_chosen(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    for _ in range(2):
        last = cloud.publish(b"{}", **{"team": team, "<b>name</b>": HOSTILE})
    ana = visit()
    ana.see(last)
    ana.open(f"/messages?q=team%3D{team}")
    open_panel(ana)
    assert facet(ana, "<b>name</b>") == {HOSTILE: "2"}
    ana.page.locator(".facet-value", has_text="onerror").click()
    ana.see(last)
    assert len(ana.rows()) == 2


def test_timeline_follows_the_filter_over_the_chosen_span_in_layers(visit: Visit, incident: Cloud) -> None:
    ana = visit(cloud=incident)
    words = ana.page.locator(".timeline-words")
    open_panel(ana)
    ana.page.click('.timeline-choices button:text-is("24h")')
    ana.page.wait_for_selector('.timeline-words:has-text("20,000 in the last 24 hours")')
    ana.page.click('.timeline-choices button:text-is("by severity")')
    ana.page.wait_for_selector('.layer-name:has-text("ERROR and worse 200")')
    ana.page.wait_for_selector("#timeline .part.level-1")
    ana.open("/messages?q=service%3Dpay")
    ana.page.wait_for_selector('.timeline-choices:has-text("counted in a sample")')
    assert "matching in the last 24 hours" in words.inner_text(), "the span is remembered"
    ana.page.click('.timeline-choices button:text-is("by severity")')
    ana.page.wait_for_selector('.timeline-choices:has-text("counted by the index")')
    ana.page.click('[aria-label="Show the values of region in the timeline"]')
    ana.page.wait_for_selector('.timeline-choices button:has-text("by region")')
    links = ana.page.locator("#timeline .links-wide a, #timeline .links-1 a").locator("visible=true")
    href = links.last.get_attribute("href") or ""
    links.last.click()
    ana.page.wait_for_url(f"**{href}")


def test_panel_and_groups_are_accessible_and_fit_the_width(visit: Visit, incident: Cloud) -> None:
    ana = visit(cloud=incident)
    open_panel(ana)
    ana.page.click("#facets-count")
    ana.page.wait_for_selector(".facet-kept")
    ana.page.mouse.move(0, 0)
    assert not violations_at_both_sizes(ana.page)
    for path in ("/messages", "/groups?by=service&number=data.status"):
        ana.open(path)
        ana.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert ana.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    assert not violations_at_both_sizes(ana.page)
