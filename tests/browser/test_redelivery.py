"""What a second delivery does to a list that is open."""

from infra.message import document_id
from tests.browser.conftest import Visit
from tests.cloud import Cloud


def test_a_message_that_no_longer_matches_leaves_the_list(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.open("/messages?q=-has%3Aredelivery")
    ana.wait_until_live()
    twice, once = cloud.publish(b"twice"), cloud.publish(b"once")
    ana.see(twice)
    ana.see(once)
    ana.page.click("#pause")  # nothing moves under a reader
    document = cloud.firestore().collection("messages").document(document_id(cloud["subscription"], twice))
    document.update({"deliveries": 2})
    bystander = visit()
    bystander.open("/messages?q=has%3Aredelivery")
    bystander.see(twice)
    ana.page.wait_for_timeout(500)
    assert ana.row(twice).count() == 1
    ana.page.click("#pause")
    ana.row(twice).wait_for(state="detached", timeout=10_000)
    assert ana.row(once).count() == 1
