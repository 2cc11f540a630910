"""Redeliveries in an open list."""

from infra.messages.message import document_id
from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud


def redeliver(cloud: Cloud, message_id: str) -> None:
    """Record a second delivery of a message."""
    document = document_id(cloud["subscription"], message_id)
    cloud.firestore().collection("messages").document(document).update({"deliveries": 2})


def test_message_that_no_longer_matches_is_removed(visit: Visit, cloud: Cloud) -> None:
    ana = visit(at="/messages?q=-has%3Aredelivery")
    ana.wait_until_live()
    twice, once = cloud.publish(b"twice"), cloud.publish(b"once")
    ana.see(twice)
    ana.see(once)
    ana.page.click("#pause")  # a paused list does not move
    redeliver(cloud, twice)
    bystander = visit(at="/messages?q=has%3Aredelivery")
    bystander.see(twice)
    ana.page.wait_for_timeout(500)
    assert ana.row(twice).count() == 1
    ana.page.click("#pause")
    ana.row(twice).wait_for(state="detached", timeout=10_000)
    assert ana.row(once).count() == 1


def test_redelivery_is_not_counted_while_paused(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    twice = cloud.publish(b"twice")
    ana.see(twice)
    ana.page.click("#pause")
    redeliver(cloud, twice)
    bystander = visit()
    bystander.see(twice)
    bystander.row(twice).locator('.twice:text-is("×2")').wait_for()
    ana.page.wait_for_timeout(500)
    assert not ana.page.locator("#arrivals").is_visible()
    assert not ana.page.title().startswith("(")
    cloud.publish(b"new")
    ana.page.wait_for_selector('#arrivals:text-is("1 new message while paused")')
    ana.page.click("#pause")
    ana.row(twice).locator('.twice:text-is("×2")').wait_for()
