"""Pages on a phone: messages near the top, the same content as on a desk, controls large enough for a thumb."""

from pathlib import Path

import pytest

from tests.support.browser.actions import fill
from tests.support.browser.axe import small_targets
from tests.support.browser.beside import viewer_beside
from tests.support.browser.person import Person, Visit
from tests.support.browser.sizes import DESKTOP, PHONE
from tests.support.local_cloud import Cloud, StartCloud

# The most pixels, of 844, above the first message: with one receiving subscription, with one that a person has started,
# and with two of which one is in trouble.
MAX_ABOVE = {"one": 300, "started": 340, "two": 400}
TABLET = {"width": 768, "height": 1024}


def test_messages_start_near_the_top(visit: Visit, own_cloud: StartCloud, both: Cloud) -> None:
    new = own_cloud()
    for place, most in ((new, MAX_ABOVE["one"]), (both, MAX_ABOVE["two"])):
        ana = visit(cloud=place, viewport=PHONE, has_touch=True)
        fill(ana, place, 3)
        assert top_of_the_messages(ana) <= most
        assert not small_targets(ana.page, 44)
        assert ana.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ana = visit(cloud=new, viewport=PHONE, has_touch=True)
    for action, state in (("stop", "STOPPED"), ("start", "RECEIVING")):
        ana.switch(action)
        ana.see_state(state)
    assert top_of_the_messages(ana) <= MAX_ABOVE["started"]


def test_many_pauses_do_not_push_the_list_down(visit: Visit, own_cloud: StartCloud, tmp_path: Path) -> None:
    new = own_cloud()
    ana = visit(cloud=new)
    fill(ana, new, 3)
    for action, state in (("stop", "STOPPED"), ("start", "RECEIVING")) * 4:
        ana.switch(action)
        ana.see_state(state)
    # The first viewer reads pauses every ten seconds; a new one reads them at once.
    with viewer_beside(new, tmp_path) as place:
        phone = visit(cloud=place, viewport=PHONE, has_touch=True)
        phone.page.wait_for_selector("#timeline:not([data-pending]) .timeline-words:has-text('and 3 more pauses')")
        assert top_of_the_messages(phone) <= MAX_ABOVE["started"]


def top_of_the_messages(person: Person) -> float:
    top: float = person.page.eval_on_selector("tr.message", "row => row.getBoundingClientRect().top")
    return top


def test_subscription_in_trouble_is_first(visit: Visit, both: Cloud) -> None:
    ana = visit(cloud=both, viewport=PHONE)
    states = ana.page.locator(".delivery")
    lefts: dict[str, float] = states.evaluate_all(
        "all => Object.fromEntries(all.map((one) => [one.dataset.state, one.getBoundingClientRect().left]))"
    )
    assert lefts["stopped"] < lefts["receiving"]
    everything = ana.page.locator(".all-subscriptions").bounding_box()
    assert everything
    assert 0 <= everything["x"] < lefts["stopped"]


@pytest.mark.parametrize("width", [PHONE["width"], 640, TABLET["width"], 1000, DESKTOP["width"]])
def test_menus_stay_on_the_screen(visit: Visit, cloud: Cloud, width: int) -> None:
    ana = visit(viewport={"width": width, "height": 844})
    fill(ana, cloud, 3)
    menus = ana.page.locator("details.menu").all()
    assert len(menus) == 5, "the person's, and those of the list: saved, columns, notify, export"
    for menu in menus:
        menu.locator("summary").click()
        box = menu.locator(".menu-items").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        menu.locator("summary").click()


def test_notice_has_a_close_button_beside_its_text(visit: Visit, cloud: Cloud) -> None:
    ana = visit(viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    fill(ana, cloud, 1)
    ana.page.locator("tr.message a.preview").first.click()
    ana.page.click("#drawer [data-copy-link]")
    ana.see_notice("The link copied.")
    words, button = (ana.page.locator(f".notice {one}").bounding_box() for one in ("p", "button"))
    assert words
    assert button
    assert button["x"] >= words["x"] + words["width"]
    assert abs(button["y"] + button["height"] / 2 - words["y"] - words["height"] / 2) < words["height"] / 2
    assert button["width"] >= 44
    ana.page.click(".notice button")
    assert not ana.page.locator(".notice").count()


def test_help_shows_the_keys_on_a_phone(visit: Visit) -> None:
    ana = visit(viewport=PHONE, at="/help")
    assert ana.page.locator(".keys kbd").first.is_visible()


def test_filter_is_readable_on_a_tablet(visit: Visit, cloud: Cloud) -> None:
    ana = visit(viewport=TABLET)
    fill(ana, cloud, 3)
    ana.open("/messages?columns=kind,data.user.id")
    field, toolbar = (ana.page.locator(one).bounding_box() for one in ("#q", ".toolbar"))
    assert field
    assert toolbar
    assert field["width"] >= 600
    assert toolbar["height"] <= 90, "no more than two lines"


def test_subscription_name_is_complete(visit: Visit, cloud: Cloud) -> None:
    ana = visit(viewport=PHONE, has_touch=True)
    for action, word in (("stop", "STOPPED"), ("start", "RECEIVING")):
        ana.switch(action)
        ana.see_state(word)
        name = ana.page.locator(".delivery-name")
        hidden = "one => one.scrollWidth - one.clientWidth + one.scrollHeight - one.clientHeight"
        assert name.evaluate(hidden) == 0


# The focused element, unless another element covers it.
IS_COVERED = """() => {
    const one = document.activeElement;
    if (one === document.body) return "";
    const box = one.getBoundingClientRect();
    const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return one.contains(above) ? "" : one.outerHTML.slice(0, 80);
}"""


@pytest.mark.parametrize("size", [PHONE, TABLET], ids=["phone", "tablet"])
def test_focus_stays_in_front_of_an_open_message(visit: Visit, cloud: Cloud, size: dict[str, int]) -> None:
    ana = visit(viewport=size)
    ana.wait_until_live()
    fill(ana, cloud, 3)
    opened = ana.rows()[1]
    ana.page.locator("tr.message a.preview").nth(1).click()
    ana.page.wait_for_selector("#drawer [data-close]:focus")
    for _ in range(6):
        ana.page.keyboard.press("Shift+Tab")
        assert not ana.page.evaluate(IS_COVERED)
    ana.page.set_viewport_size({"width": 1440, "height": 900})
    ana.page.locator("#q").focus()
    assert ana.page.evaluate("document.activeElement.id") == "q", "the list beside a message is used again"
    ana.page.set_viewport_size({"width": size["width"], "height": size["height"]})
    ana.page.click("[data-close]")
    ana.page.wait_for_selector("#drawer", state="hidden")
    assert ana.page.evaluate("document.activeElement.closest('tr').dataset.id") == opened
    assert ana.page.locator("#q").is_visible()
