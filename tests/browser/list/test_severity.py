"""Severities in Chromium: in live rows, on the page of a message, and as filters; each by word, shape and colour."""

from uuid import uuid4

from infra.messages.severity import LEVELS
from tests.support.browser.axe import violations_at_both_sizes
from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud

SHAPE = "one => getComputedStyle(one, '::before').content"


def test_severities_are_shown_live_and_on_the_page_and_found(visit: Visit, cloud: Cloud) -> None:
    team = uuid4().hex
    ana = visit()
    ana.open(f"/messages?q=team%3D{team}")
    ana.wait_until_live()
    ids = {level: cloud.publish(b"step failed", team=team, severity=level.lower()) for level in LEVELS}
    plain = cloud.publish(b"no level", team=team)
    shapes = set()
    for level, one in ids.items():
        ana.see(one)
        mark = ana.row(one).locator(".preview .severity")
        assert mark.inner_text() == level
        shapes.add(mark.evaluate(SHAPE))
    assert len(shapes) == len(LEVELS), "two severities have the same shape"
    ana.see(plain)
    assert not ana.row(plain).locator(".severity").count()
    assert not violations_at_both_sizes(ana.page)
    ana.row(ids["WARNING"]).click()
    ana.page.click("#drawer a.severity")
    ana.page.wait_for_url("**severity%3DWARNING*")
    ana.see(ids["WARNING"])
    assert not ana.row(ids["ERROR"]).count()
    ana.open_message(ids["EMERGENCY"])
    assert ana.page.locator(".detail-title .severity").inner_text() == "EMERGENCY"
    assert not violations_at_both_sizes(ana.page)
