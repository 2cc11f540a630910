"""The empty list: the completed steps, the next step, and a followed test message."""

import re

import pytest

from tests.support.browser.axe import violations, violations_at_both_sizes
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import PHONE
from tests.support.local_cloud import Cloud, StartCloud


@pytest.fixture
def new(own_cloud: StartCloud) -> Cloud:
    """A cloud without messages."""
    return own_cloud()


def ticks(person: Person) -> list[str]:
    found: list[str] = person.page.eval_on_selector_all(".ticks li", "all => all.map((one) => one.dataset.done)")
    return found


def test_test_message_is_followed_through_the_chain(visit: Visit, new: Cloud) -> None:
    ana = visit(cloud=new)
    assert ticks(ana) == ["yes", "yes", "no"]
    assert "-m infra --local publish builds hello" in ana.page.locator(".command").inner_text()
    ana.page.click('button:text-is("Send test message")')
    ana.page.wait_for_url(re.compile("/publish/sent"))
    ana.page.click('a:text-is("It is here")')
    assert "Hello from Subscope" in ana.page.locator("main").inner_text()
    ana.open("/messages")
    assert len(ana.rows()) == 1
    assert not ana.page.locator("#empty").is_visible()


def test_steps_update_live_and_link_to_start(visit: Visit, new: Cloud) -> None:
    ana = visit(cloud=new)
    ana.wait_until_live()
    ana.switch("stop")
    ana.page.wait_for_selector('.first-steps[data-empty="stopped"]')
    assert ticks(ana) == ["yes", "no", "no"]
    new.publish(b"it waits")
    ana.page.click('.first-steps button:text-is("Start delivery")')
    ana.page.wait_for_selector("tr.message")
    ana.see_state("RECEIVING")


def test_deleted_subscription_is_reported(visit: Visit, new: Cloud) -> None:
    ana = visit(cloud=new)
    ana.page.wait_for_selector(".first-steps")
    assert not violations_at_both_sizes(ana.page)
    new.subscriber().delete_subscription(subscription=new.subscription_path)
    ana.page.reload()
    assert ticks(ana) == ["no", "no", "no"]
    assert "does not exist" in ana.page.locator(".ticks").inner_text()
    assert ana.page.locator('.first-steps a:text-is("Look again")').is_visible()
    assert not violations(visit(cloud=new, viewport=PHONE).page)
