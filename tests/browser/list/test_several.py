"""Several subscriptions: one timeline of all, each with its colour and name, and a way to look at one of them."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from infra.messages.message import document_id
from tests.support.browser.axe import violations
from tests.support.browser.beside import LABEL
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import PHONE
from tests.support.browser.writing import writer_at
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


@pytest.fixture
def pair(both: Cloud) -> Iterator[tuple[str, str]]:
    """Publish one message in each subscription, the dead letter last; return the document ids."""
    first = both.publish(uuid4().hex.encode())
    document = document_id(both["subscription"], first)
    stored = both.firestore().collection("messages").document(document)
    wait_until(lambda: stored.get().exists, "the stored message")
    with writer_at(both) as writer:
        yield document, writer.message(subscription=both["dead_letter_subscription"], preview="a dead letter")


def edge_of(person: Person, document: str) -> str:
    script = "row => getComputedStyle(row).boxShadow"
    found: str = person.page.eval_on_selector(f'tr.message[data-id="{document}"]', script)
    return found


def test_subscriptions_share_one_timeline_with_their_colours(visit: Visit, both: Cloud, pair: tuple[str, str]) -> None:
    ana = visit(cloud=both)
    assert ana.rows()[:2] == [pair[1], pair[0]]
    edges = [edge_of(ana, one) for one in pair]
    assert edges[0] != edges[1]
    assert all("4px 0px" in one for one in edges)
    row = ana.page.locator(f'tr.message[data-id="{pair[1]}"] td.from')
    assert row.inner_text() == both["dead_letter_subscription"]


def test_strip_links_to_one_subscription(visit: Visit, both: Cloud, pair: tuple[str, str]) -> None:
    ana = visit(cloud=both)
    states = ana.page.locator(".delivery .state-word").all_inner_texts()
    assert states == ["RECEIVING", "STOPPED"]
    ana.page.click(f'.delivery-name a:text-is("{both["dead_letter_subscription"]}")')
    ana.page.wait_for_url("**/messages?subscription=*")
    assert ana.rows()[0] == pair[1]
    assert pair[0] not in ana.rows()
    assert ana.page.locator(".delivery-name a[aria-current]").inner_text() == both["dead_letter_subscription"]
    ana.page.click('.all-subscriptions a:text-is("All 2")')
    ana.page.wait_for_url("**/messages")
    assert ana.rows()[:2] == [pair[1], pair[0]]


def test_single_subscription_has_no_chooser(person: Person) -> None:
    person.open("/messages")
    assert not person.page.locator(".all-subscriptions, .delivery-name a").count()
    assert person.page.locator("td.from").first.is_hidden()


def test_list_of_several_subscriptions_is_accessible(visit: Visit, both: Cloud) -> None:
    team = uuid4().hex
    with writer_at(both) as writer:
        for subscription in (both["subscription"], both["dead_letter_subscription"]):
            writer.message(subscription=subscription, attributes={"team": team}, tokens=[f"team={team}"])
    for options in ({}, {"viewport": PHONE}):
        # Two rows: axe takes a second for fifty.
        ana = visit(cloud=both, at=f"/messages?q=team%3D{team}", **options)
        assert len(ana.rows()) == 2
        assert not violations(ana.page)
        assert ana.page.title().startswith(f"{LABEL} · ")
        edge = ana.page.eval_on_selector(".top-bar", "bar => getComputedStyle(bar).boxShadow")
        assert "0px 5px 0px 0px inset" in edge
