"""Relative times, printing, and reduced motion."""

import re

from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud


def test_relative_time_is_shown_beside_the_time(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    ana.see(cloud.publish(b"a while ago"))
    time = ana.page.locator("tr.message time").first
    clock = time.inner_text()
    assert time.get_attribute("data-ago") is None
    ana.page.click(".top-bar > .zone [data-ago-choice]")
    ana.page.reload()
    ana.page.wait_for_selector("tr.message time[data-ago]")
    assert time.inner_text() == clock, "the time itself stays"
    assert "ago" in (time.get_attribute("data-ago") or "") or time.get_attribute("data-ago") == "just now"
    arrived = cloud.publish(b"arrives with its age")
    ana.see(arrived)
    assert ana.row(arrived).locator("time[data-ago]").count() == 1
    ana.page.click(".top-bar > .zone [data-ago-choice]")
    assert not ana.page.locator("time[data-ago]").count()


def test_future_time_is_shown_as_future(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    message = cloud.publish(b"expires")
    ana.see(message)
    ana.open_message(message)
    expires = ana.page.locator('.pairs > div:has(dt:text-is("Expires")) time')
    expires.hover()
    assert re.match(r"in [67] days\n", expires.get_attribute("title") or "")
    ana.page.click(".top-bar > .zone [data-ago-choice]")
    assert re.match(r"in [67] days$", expires.get_attribute("data-ago") or "")


def test_message_is_printed_complete_without_controls(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    message = cloud.publish("\n".join(map(str, range(2_000))).encode())
    ana.see(message)
    ana.open_message(message)
    ana.page.emulate_media(media="print")
    payload = ana.page.locator("pre.code")
    heights: list[int] = payload.evaluate("pre => [pre.clientHeight, pre.scrollHeight]")
    assert heights[0] == heights[1], "the payload is cut"
    for control in (".top", ".copy", ".views", ".detail-actions"):
        assert not ana.page.locator(control).first.is_visible(), control


def test_reduced_motion_stops_animations(visit: Visit, cloud: Cloud) -> None:
    ana = visit(reduced_motion="reduce")
    ana.wait_until_live()
    message = cloud.publish(b"still")
    ana.see(message)
    assert ana.row(message).evaluate("row => getComputedStyle(row).animationName") == "none"
