"""A saved filter with a colour in Chromium: chosen in the form, and seen in live and loaded rows by name and colour."""

from uuid import uuid4

from tests.support.browser.axe import violations_at_both_sizes
from tests.support.browser.person import Person, Visit
from tests.support.local_cloud import Cloud


def background(person: Person, message_id: str) -> str:
    found: str = person.row(message_id).evaluate("row => getComputedStyle(row).backgroundColor")
    return found


def test_coloured_filter_marks_live_and_loaded_rows(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    name = f"Orders {team[:6]}"
    ana = visit(at="/filters")
    ana.page.fill("#new-name", name)
    ana.page.fill("#new-q", f"team={team}")
    ana.page.select_option("#new-colour", "violet")
    ana.page.click('button:text-is("Save for everyone")')
    ana.page.wait_for_url("**notice=saved")
    ana.open(f"/messages?q=team%3D{team}%20OR%20beside%3D{team}")
    ana.wait_until_live()
    marked, plain = cloud.publish(b"one", team=team), cloud.publish(b"two", beside=team)
    for reload in (False, True):
        if reload:
            ana.page.reload()
        for one in (marked, plain):
            ana.see(one)
        assert ana.row(marked).locator(".mark.highlight").inner_text() == name
        assert not ana.row(plain).locator(".mark.highlight").count()
        ana.page.mouse.move(0, 0)
        assert background(ana, marked) != background(ana, plain)
    assert not violations_at_both_sizes(ana.page)
    ana.open("/filters")
    assert not violations_at_both_sizes(ana.page)
    row = ana.page.locator("tr", has_text=name)
    row.locator("select[name=colour]").select_option("")
    row.locator('button:text-is("Set")').click()
    ana.page.wait_for_url("**notice=colour")
    ana.open(f"/messages?q=team%3D{team}")
    ana.see(marked)
    assert not ana.page.locator(".mark.highlight").count()
