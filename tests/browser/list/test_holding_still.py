"""Stable rows: in a burst the row under the pointer, or with the focus, keeps its position."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from infra.messages.message import document_id
from tests.support.browser.person import Person, Visit
from tests.support.browser.writing import burst, writer_at
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Route

SIZES = {"desk": (1440, 900), "phone": (390, 844)}
HUNDREDS = 300
hundreds = partial(burst, messages=HUNDREDS, per_second=200, batch=20)
# In each frame: the row at a position, and its top.
WATCH = """([x, y]) => {
    window.seen = { ids: new Set(), tops: [] };
    const look = () => {
        const row = document.elementFromPoint(x, y)?.closest("tr.message");
        seen.ids.add(row?.dataset.id);
        seen.tops.push(row?.getBoundingClientRect().top);
        requestAnimationFrame(look);
    };
    look();
}"""
SEEN = (
    "() => ({ ids: [...seen.ids], spread: Math.max(...seen.tops) - Math.min(...seen.tops), looks: seen.tops.length })"
)


# The ids of all messages that the page's stream brings.
RECORD = """
    window.received = [];
    const Real = EventSource;
    window.EventSource = class extends Real {
        constructor(...place) {
            super(...place);
            this.addEventListener("message", ({ data }) => received.push(JSON.parse(data).id));
        }
    };
"""


@pytest.fixture(scope="module")
def own(module_cloud: Cloud) -> Cloud:
    """A cloud with more messages than a page shows."""
    with writer_at(module_cloud) as writer:
        writer.messages(60)
    return module_cloud


def watch(person: Person, place: tuple[int, int]) -> str:
    """Start to observe a position; return the row there."""
    person.page.evaluate(WATCH, list(place))
    found: str = person.page.evaluate("([...seen.ids])[0]")
    assert found, "no row is there"
    return found


def assert_it_held_still(person: Person, row: str) -> None:
    seen = person.page.evaluate(SEEN)
    assert seen["looks"] > 20, "it was hardly looked at"
    assert seen["ids"] == [row], "another row came under the pointer"
    assert seen["spread"] <= 1


def assert_a_burst_moves_nothing(person: Person, place: tuple[int, int]) -> str:
    """Publish some hundreds of messages, which must be counted and not move the row at a position; return the row."""
    row = watch(person, place)
    with hundreds(person.cloud):
        person.page.wait_for_selector(f'#arrivals:has-text("{HUNDREDS} new messages")', timeout=30_000)
    assert_it_held_still(person, row)
    return row


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_scrolled_list_stays_in_place_in_a_burst(visit: Visit, own: Cloud, size: tuple[int, int]) -> None:
    person = visit(cloud=own, viewport={"width": size[0], "height": size[1]})
    person.wait_until_live()
    person.page.mouse.move(size[0] // 2, size[1] // 2)
    person.page.mouse.wheel(0, 400)
    person.page.wait_for_timeout(500)
    assert_a_burst_moves_nothing(person, (size[0] // 2, size[1] // 2))


def test_paused_list_stays_in_place_at_the_top(visit: Visit, own: Cloud) -> None:
    person = visit(cloud=own, viewport={"width": 1440, "height": 900})
    person.wait_until_live()
    person.page.keyboard.press("Space")
    assert_a_burst_moves_nothing(person, (720, 450))


def test_list_beside_an_open_message_stays_in_place(visit: Visit, own: Cloud) -> None:
    person = visit(cloud=own, viewport={"width": 1440, "height": 900})
    person.wait_until_live()
    person.page.locator("tr.message a.preview").nth(3).click()
    person.page.wait_for_selector("#drawer .detail")
    assert_a_burst_moves_nothing(person, (300, 600))


def test_row_under_the_pointer_stays_until_the_pointer_rests(visit: Visit, own: Cloud) -> None:
    person = visit(cloud=own, viewport={"width": 1440, "height": 900})
    person.wait_until_live()
    person.page.mouse.move(400, 600)
    row = watch(person, (400, 600))
    top = person.rows()[0]
    with hundreds(own):
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            for x in range(400, 500, 20):
                person.page.mouse.move(x, 600)
            person.page.wait_for_timeout(30)
        assert_it_held_still(person, row)
    person.page.wait_for_function("top => document.querySelector('tr.message').dataset.id !== top", arg=top)


def test_row_under_a_pointer_that_was_there_before_the_page_stays(visit: Visit, own: Cloud) -> None:
    person = visit(cloud=own, viewport={"width": 1440, "height": 900})
    person.page.clock.install()
    person.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    person.page.add_init_script(RECORD)

    # A headless browser forgets the pointer at a reload. So the pointer comes to the page before the page's script.
    def answer_later(route: "Route") -> None:
        person.page.mouse.move(400, 600)
        route.continue_()

    person.page.route("**/js/list/main.js", answer_later)
    person.page.reload()
    person.wait_until_live()
    before = person.rows()
    document = document_id(own["subscription"], own.publish(b"for a page that was just loaded"))
    wait_until(lambda: person.page.evaluate("id => received.includes(id)", document), "the message in the stream")
    person.page.clock.run_for(500)
    assert person.rows() == before
    person.page.clock.run_for(1_500)
    assert person.rows()[0] == document


def test_row_with_the_focus_stays_until_it_loses_the_focus(visit: Visit, own: Cloud) -> None:
    person = visit(cloud=own, viewport={"width": 1440, "height": 900})
    person.wait_until_live()
    for _ in range(3):
        person.page.keyboard.press("j")
    box = person.page.locator("tr.selected").bounding_box()
    assert box
    row = assert_a_burst_moves_nothing(person, (300, round(box["y"] + box["height"] / 2)))
    person.page.keyboard.press(".")
    person.page.wait_for_function("row => document.querySelector('tr.message').dataset.id !== row", arg=row)
    assert not person.page.locator("#arrivals").is_visible()
