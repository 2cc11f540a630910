"""Watching: new messages appear, all people see who stopped delivery, a paused view misses no message."""

import time

from infra.messages.message import document_id
from tests.support.browser.actions import fill, published_ids
from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

QUIET_SECONDS = 1.5


def documents(cloud: Cloud, message_ids: list[str]) -> set[str]:
    return {document_id(cloud["subscription"], one) for one in message_ids}


def test_published_message_appears_within_two_seconds(visit: Visit, each_cloud: Cloud) -> None:
    ana = visit(cloud=each_cloud)
    ana.wait_until_live()
    ana.see(each_cloud.publish(b'{"status": "WORKING"}', status="WORKING"), seconds=2)
    assert ana.page.locator("tr.message").first.inner_text().count("WORKING") == 2


def test_stop_and_start_are_shown_to_all(visit: Visit, each_cloud: Cloud) -> None:
    ana, ben = visit(cloud=each_cloud), visit(cloud=each_cloud)
    for person in (ana, ben):
        person.wait_until_live()
        person.see_state("RECEIVING")
        person.page.evaluate("window.neverReloaded = true")
    ana.switch("stop")
    for person in (ana, ben):
        person.see_state("STOPPED")
        person.see_notice(f"{each_cloud['admin_user']} stopped delivery of {each_cloud['subscription']}")
        assert person.page.locator("button.start").is_visible()
        assert not person.page.locator("button.stop").is_visible()
    before = set(ana.rows())
    waiting = published_ids(each_cloud, 5)
    time.sleep(QUIET_SECONDS)
    assert not documents(each_cloud, waiting) & {*ana.rows(), *ben.rows()}, "a message came while delivery was stopped"
    ben.switch("start")
    for person in (ana, ben):
        for one in waiting:
            person.see(one)
        person.see_state("RECEIVING")
        person.see_notice(f"{each_cloud['admin_user']} started delivery of {each_cloud['subscription']}")
        assert person.page.evaluate("window.neverReloaded"), "the page was reloaded"
        assert len(person.rows()) == len(set(person.rows())), "a row is shown twice"
    assert set(ana.rows()) - before == documents(each_cloud, waiting)


def test_stop_dialog_can_be_cancelled(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.page.click("button.stop")
    dialog = ana.page.locator("#confirm-stop")
    assert "for everyone" in dialog.inner_text()
    assert "Messages wait in Pub/Sub" in dialog.inner_text()
    ana.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    ana.see_state("RECEIVING")
    ana.see(cloud.publish(b"still delivered"))


def test_change_made_elsewhere_is_shown(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    ana.see_state("RECEIVING")
    before = cloud.subscriber().get_subscription(subscription=cloud.subscription_path).push_config
    cloud.subscriber().modify_push_config(subscription=cloud.subscription_path, push_config={})
    try:
        ana.see_state("STOPPED", seconds=15)
        assert "changed elsewhere" in ana.page.locator(".delivery").inner_text()
        ana.see_notice("Someone outside of Subscope stopped delivery")
    finally:
        cloud.subscriber().modify_push_config(subscription=cloud.subscription_path, push_config=before)
    ana.see_state("RECEIVING", seconds=15)


def test_paused_view_counts_and_misses_no_message(visit: Visit, cloud: Cloud) -> None:
    ana, ben = visit(), visit()
    for person in (ana, ben):
        person.wait_until_live()
    ana.page.keyboard.press("Space")
    assert ana.page.locator("#pause").get_attribute("aria-pressed") == "true"
    before = ana.rows()
    arrived = published_ids(cloud, 3)
    for one in arrived:
        ben.see(one)
    ana.page.wait_for_selector('#arrivals:has-text("3 new messages while paused")')
    assert ana.rows() == before
    assert ana.page.title().startswith("(3) ")
    ana.see_state("RECEIVING")
    ana.page.click("#pause")
    for one in arrived:
        ana.see(one)
    assert ana.rows()[:3] == ben.rows()[:3]
    assert not ana.page.locator("#arrivals").is_visible()


def test_scrolled_list_does_not_move(visit: Visit, cloud: Cloud) -> None:
    ana = visit(viewport={"width": 1200, "height": 500})
    ana.wait_until_live()
    fill(ana, cloud, 40)
    ana.page.eval_on_selector(".list", "list => { list.scrollTop = 300 }")
    ana.page.wait_for_timeout(100)
    seen = ana.page.evaluate("document.elementFromPoint(300, 400).closest('tr').dataset.id")
    top = ana.rows()[0]
    one = cloud.publish(b"while reading")
    ana.page.wait_for_selector('#arrivals:has-text("1 new message")')
    assert ana.rows()[0] == top
    assert ana.page.evaluate("document.elementFromPoint(300, 400).closest('tr').dataset.id") == seen
    ana.page.click("#arrivals")
    ana.see(one)
    assert ana.page.eval_on_selector(".list", "list => list.scrollTop") == 0


def test_redelivery_updates_its_row_in_place(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    twice, after = cloud.publish(b"twice"), cloud.publish(b"after")
    ana.see(twice)
    ana.see(after)
    order = ana.rows()
    document = document_id(cloud["subscription"], twice)
    cloud.firestore().collection("messages").document(document).update({"deliveries": 2})
    ana.row(twice).locator('.twice:text-is("×2")').wait_for()
    assert ana.rows() == order


def test_older_messages_load_on_scroll(visit: Visit, cloud: Cloud) -> None:
    ana = visit(viewport={"width": 1200, "height": 500})
    fill(ana, cloud, 60)
    ana.page.reload()
    assert len(ana.rows()) == 50
    ana.page.eval_on_selector(".list", "list => { list.scrollTop = list.scrollHeight }")
    wait_until(lambda: len(ana.rows()) > 55, "older messages below the list")
    assert len(ana.rows()) == len(set(ana.rows()))


def test_page_reports_the_end_of_the_session(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    ana.context.clear_cookies()
    ana.context.set_offline(True)
    ana.page.wait_for_selector('#connection[data-state="reconnecting"]:has-text("not live")')
    ana.context.set_offline(False)
    ana.page.wait_for_selector('.signed-out a:text-is("Sign in again")')
    assert ana.page.locator("#connection").inner_text() == "Signed out · not live"
