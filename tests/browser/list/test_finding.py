"""Filters in the page: they narrow old and new messages; chips and the timeline write them; errors are shown."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from infra.messages.message import document_id
from tests.support.browser.actions import filter_of, publish
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


def search_for(person: Person, text: str) -> None:
    person.page.keyboard.press("/")
    person.page.keyboard.insert_text(text)
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/messages?q=*")


def test_filter_narrows_history_and_live_messages(person: Person, cloud: Cloud) -> None:
    team = uuid4().hex
    person.open("/messages")
    person.wait_until_live()
    wanted, other = publish(cloud, team, "FAILED"), publish(cloud, team, "WORKING")
    person.see(other)
    search_for(person, f"team={team} -status=WORKING data.user.id=42")
    person.wait_until_live()
    assert person.page.input_value("#q") == f"team={team} -status=WORKING data.user.id=42"
    assert person.rows() == [document_id(cloud["subscription"], wanted)]
    unwanted, arrives = publish(cloud, team, "WORKING"), publish(cloud, team, "FAILED")
    person.see(arrives)
    assert not person.row(unwanted).count()
    assert len(person.rows()) == 2
    person.page.reload()
    assert len(person.rows()) == 2, "the address alone says what is shown"
    person.page.go_back()
    person.see(unwanted)


def test_invalid_filter_is_reported_and_kept(person: Person) -> None:
    person.open("/messages")
    search_for(person, "status=FAILED levl:high")
    assert "at column 15, levl: is not known" in person.page.locator("#q-problem").inner_text()
    assert person.page.locator("#q-problem mark").inner_text() == "levl:high"
    assert person.page.input_value("#q") == "status=FAILED levl:high"
    assert person.page.evaluate("document.activeElement.id") == "q"
    assert not person.page.locator("#empty").is_visible()
    person.page.click('a:text-is("All messages")')
    person.wait_until_live()
    assert not person.page.locator("#q-problem").count()


def test_chips_extend_or_exclude(person: Person, cloud: Cloud) -> None:
    team = uuid4().hex
    person.open("/messages")
    one = publish(cloud, team, "FAILED")
    person.open(f"/messages?q=team%3D{team}")
    person.see(one)
    chip = person.row(one).locator('.chip:has-text("FAILED")')
    chip.click()
    person.page.wait_for_url("**status*")
    assert filter_of(person) == f"team={team} status=FAILED"
    assert not person.page.locator("#drawer").is_visible(), "a chip is not the message"
    person.row(one).locator('.chip:has-text("FAILED")').click(modifiers=["Alt"])
    person.page.wait_for_url("**-status*")
    assert filter_of(person) == f"team={team} -status=FAILED", "the opposite is replaced"
    person.page.locator("#empty").wait_for()
    assert "Nothing matches." in person.page.locator("#empty").inner_text()
    person.page.click('#empty a:text-is("Clear filter")')
    person.page.wait_for_url("**/messages")
    person.see(one)
    person.row(one).locator('.chip:has-text("FAILED")').focus()
    person.page.keyboard.press("-")
    person.page.wait_for_url("**-status*")
    assert filter_of(person) == "-status=FAILED"


def test_hostile_names_and_filters_stay_text(person: Person, cloud: Cloud) -> None:
    hostile = f"</a><script>alert(1)</script>\n\"'=~:\\ {uuid4().hex}"
    one = cloud.publisher().publish(cloud.topic_path, b"hostile", **{hostile: hostile}).result(timeout=10)
    person.open("/messages")
    person.see(one)
    person.row(one).locator(".chip").click()
    person.page.wait_for_url("**/messages?q=*")
    person.wait_until_live()
    assert person.rows() == [document_id(cloud["subscription"], one)]
    for wrong in (f"a:{hostile}", f"kind:{hostile}"):
        person.page.fill("#q", wrong)
        person.page.press("#q", "Enter")
        person.page.locator("#q-problem").wait_for()
        assert not person.page.locator("main script, #q-problem a").count()


def test_drawer_links_extend_the_filter(person: Person, cloud: Cloud) -> None:
    team = uuid4().hex
    one = publish(cloud, team, "two words")
    person.open("/messages")
    person.see(one)
    person.open(f"/messages?q=team%3D{team}")
    person.row(one).locator("a.preview").click()
    person.page.wait_for_selector("#drawer .detail")
    person.page.locator('#drawer dd a[data-filter]:text-is("two words")').click()
    person.page.wait_for_url("**/messages?q=*")
    assert filter_of(person) == f'team={team} status="two words"'
    assert person.rows() == [document_id(cloud["subscription"], one)]


def test_button_continues_a_search(person: Person, cloud: Cloud) -> None:
    stored = cloud.firestore().collection("messages")
    template = stored.document(document_id(cloud["subscription"], cloud.publish(b"template")))
    wait_until(lambda: template.get().exists, "the stored template")
    fields = template.get().to_dict() or {}
    at = datetime.now(UTC) - timedelta(days=3)
    needle = uuid4().hex
    batch = cloud.firestore().batch()
    for number in range(2100):
        text = needle if number == 2099 else "hay"
        fields |= {"received_at": at - timedelta(seconds=number), "preview": text, "data": text.encode()}
        batch.set(stored.document(f"{number:032x}"), fields)
        if number % 400 == 399:
            batch.commit()
    batch.commit()
    try:
        person.open(f"/messages?q={needle}")
        assert "Nothing matches so far." in person.page.locator("#empty").inner_text()
        looked = person.page.locator("#looked")
        assert "0 of 2,000 messages; searched back to" in looked.inner_text()
        person.page.wait_for_timeout(500)
        assert not person.rows(), "it looks further only when asked"
        person.page.click('a:text-is("Search older")')
        person.page.wait_for_selector("tr.message", state="attached")
        assert len(person.rows()) == 1
        assert not person.page.locator("#empty").is_visible()
        assert "nothing older matches" in person.page.locator("#older").inner_text()
    finally:
        for number in range(2100):
            batch.delete(stored.document(f"{number:032x}"))
            if number % 400 == 399:
                batch.commit()
        batch.commit()


def minute_with_messages(person: Person, cloud: Cloud) -> None:
    person.see(cloud.publish(b"counted"))
    # The open minute is counted at most every ten seconds.
    wait_until(lambda: _has_bar(person), "the timeline's bars", 30)


def _has_bar(person: Person) -> bool:
    person.page.reload()
    person.page.wait_for_timeout(500)
    return person.page.locator("#timeline .bar").count() > 0


def test_timeline_filters_by_click_and_drag(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    minute_with_messages(person, cloud)
    last = person.page.locator("#timeline .links-1 a").last
    since, until = last.get_attribute("data-since"), last.get_attribute("data-until")
    last.click()
    person.page.wait_for_url("**/messages?q=*")
    assert filter_of(person) == f"after:{since} before:{until}"
    person.page.wait_for_selector("#timeline:not([data-pending])")
    links = person.page.locator("#timeline .links-1 a")
    first, second = links.nth(20).bounding_box(), links.nth(30).bounding_box()
    assert first
    assert second
    since, until = links.nth(20).get_attribute("data-since"), links.nth(30).get_attribute("data-until")
    person.page.mouse.move(second["x"] + 3, second["y"] + 5)
    person.page.mouse.down()
    person.page.mouse.move(first["x"] + 3, first["y"] + 5, steps=5)
    assert person.page.locator("#timeline .dragged").count() == 11
    person.page.mouse.up()
    person.page.wait_for_url(lambda url: parse_qs(urlsplit(url).query)["q"] == [f"after:{since} before:{until}"])


def test_timeline_is_one_tab_stop(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.page.wait_for_selector("#timeline:not([data-pending])")
    assert person.page.locator('#timeline a[tabindex="0"]').count() == 1
    person.page.locator('#timeline a[tabindex="0"]').focus()
    person.page.keyboard.press("ArrowLeft")
    person.page.keyboard.press("ArrowLeft")
    focused = person.page.evaluate("document.activeElement.dataset.since")
    links = person.page.locator("#timeline .links-1 a")
    assert focused == links.nth(57).get_attribute("data-since")
    person.page.keyboard.press("Home")
    assert person.page.evaluate("document.activeElement.dataset.since") == links.nth(0).get_attribute("data-since")
    person.page.keyboard.press("End")
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/messages?q=after*")


def test_stop_is_shown_in_the_timeline(person: Person, cloud: Cloud) -> None:
    person.open("/messages")
    person.wait_until_live()
    person.switch("stop")
    person.see_state("STOPPED")
    person.switch("start")
    person.see_state("RECEIVING")
    said = f"{cloud['subscription']} stopped"
    # The open page refreshes the timeline by itself.
    words = person.page.locator(".timeline-words")
    wait_until(lambda: said in words.inner_text(), "the stop of delivery in the timeline", 30)
    assert person.page.locator("#timeline .stop").count() >= 1
    assert not re.search(r"(\d\d:\d\d)–\1", words.inner_text()), "a stop within a minute is a moment, not a span"


def test_page_works_without_javascript(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    one = publish(cloud, team, "FAILED")
    ana = visit(java_script_enabled=False)
    for _ in range(50):
        if ana.row(one).count():
            break
        ana.page.wait_for_timeout(100)
        ana.page.reload()
    ana.page.fill("#q", f"team={team}")
    ana.page.click(".search-button")
    assert ana.rows() == [document_id(cloud["subscription"], one)]
    ana.row(one).locator('.chip:has-text("FAILED")').click()
    assert filter_of(ana) == "status=FAILED"
    assert ana.row(one).count() == 1
    ana.page.fill("#q", "kind:xml")
    ana.page.click(".search-button")
    assert "a kind is one of" in ana.page.locator("#q-problem").inner_text()
    span = ana.page.locator("#timeline .links-1 a").nth(3).get_attribute("href")
    assert span
    ana.open(span)
    assert filter_of(ana).startswith("after:")


def test_typed_time_is_in_the_chosen_zone(visit: Visit, cloud: Cloud) -> None:
    ana = visit(timezone_id="Asia/Kolkata")
    ana.open("/messages?q=before%3A2026-11-28")
    ana.page.click("[data-zone=local]")
    ana.page.fill("#q", 'before:2026-11-28 after:"2026-11-27 22:00"')
    ana.page.press("#q", "Enter")
    ana.page.wait_for_url("**after*")
    assert filter_of(ana) == "before:2026-11-28 after:2026-11-27T22:00:00+05:30", "the address's own time is UTC"
    ana.page.click("[data-zone=utc]")
    ana.page.fill("#q", "after:2026-11-27")
    ana.page.press("#q", "Enter")
    ana.page.wait_for_url("**after%3A2026-11-27")
    assert filter_of(ana) == "after:2026-11-27"


def test_filters_work_on_a_phone(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    one = publish(cloud, team, "FAILED")
    ana = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    ana.see(one)
    ana.row(one).locator('.chip:has-text("FAILED")').tap()
    ana.page.wait_for_url("**/messages?q=status*")
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= 390
    ana.page.locator("#timeline .links-wide a").last.tap()
    ana.page.wait_for_url("**before*")
    assert filter_of(ana).startswith("status=FAILED after:")
