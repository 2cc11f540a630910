"""Following a published message: through a lost connection, a sign-out and a stop, until it is stored or given up."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


@pytest.fixture
def on_its_way(visit: Visit, cloud: Cloud) -> Iterator[Person]:
    """A person who follows a message while delivery is stopped; the test's end starts delivery again."""
    before = cloud.subscriber().get_subscription(subscription=cloud.subscription_path).push_config
    cloud.subscriber().modify_push_config(subscription=cloud.subscription_path, push_config={})
    try:
        ana = visit(at="/publish")
        ana.page.fill("#data", f"followed {uuid4().hex}")  # the same form twice in a row is one message
        ana.page.click('main button:text-is("Publish")')
        ana.page.wait_for_selector('h1:text-is("Published")')
        yield ana
    finally:
        cloud.subscriber().modify_push_config(subscription=cloud.subscription_path, push_config=before)


def deliver(cloud: Cloud) -> None:
    """Start delivery as another person."""
    receiver = {
        "push_endpoint": cloud.environ["PUSH_ENDPOINT"],
        "oidc_token": {
            "service_account_email": cloud.environ["PUSH_SERVICE_ACCOUNT"],
            "audience": cloud.environ["PUSH_AUDIENCE"],
        },
    }
    cloud.subscriber().modify_push_config(subscription=cloud.subscription_path, push_config=receiver)


def test_following_continues_after_a_lost_connection(on_its_way: Person, cloud: Cloud) -> None:
    ana = on_its_way
    ana.context.set_offline(True)
    ana.page.wait_for_selector('#trouble:has-text("The server did not answer. This page will ask again.")')
    deliver(cloud)
    ana.context.set_offline(False)
    ana.page.wait_for_selector('a:text-is("It is here")', timeout=20_000)
    assert not ana.page.locator("#trouble").is_visible()


def test_following_ends_with_the_session(on_its_way: Person) -> None:
    ana = on_its_way
    followed = parse_qs(urlsplit(ana.page.url).query)
    ana.context.clear_cookies()
    ana.page.click('#trouble a:text-is("Sign in again")')
    ana.fill_in_sign_in()
    ana.page.wait_for_selector('h1:text-is("Published")')
    assert parse_qs(urlsplit(ana.page.url).query) == followed


def test_following_reports_when_it_gives_up(on_its_way: Person) -> None:
    ana = on_its_way
    ana.page.clock.install()
    ana.page.reload()
    ana.context.set_offline(True)
    said = ana.page.locator('#trouble:has-text("did not arrive within 2 minutes")')
    wait_until(lambda: _later(ana) and said.is_visible(), "the notice that the page stopped asking", 20)
    assert ana.page.locator('#trouble a:text-is("Look again")').get_attribute("href") == ana.page.url


def _later(person: Person) -> bool:
    """Move the page's clock forward by some seconds."""
    person.page.clock.run_for(8_000)
    return True
