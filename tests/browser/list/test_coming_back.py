"""Hidden tabs: they close their stream, and afterwards show and count the missed messages once."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.messages.message import document_id
from tests.support.browser.actions import published, switch_on
from tests.support.browser.beside import viewer_beside
from tests.support.browser.person import Person, Visit
from tests.support.browser.tabs import TO_THE, VISIBILITY
from tests.support.browser.writing import writer_at
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Route

MINUTE_MS = 61_000
# Longer than the pause after which a page reconnects.
LATER_MS = 3_000


@pytest.fixture(scope="module")
def narrow(module_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A viewer with one stream."""
    with viewer_beside(module_cloud, tmp_path_factory.mktemp("narrow"), MAX_STREAMS="1") as place:
        yield place


@pytest.fixture
def alone(visit: Visit, narrow: Cloud) -> Person:
    """A person on a viewer with one stream, in a tab that the test can hide, with a clock that it can move."""
    ana = visit(cloud=narrow, at="/help")
    ana.page.add_init_script(VISIBILITY)
    ana.page.clock.install()
    ana.open("/messages")
    # The last test's stream ends a second or two after its tab.
    ana.page.wait_for_selector('#connection[data-state="live"]', timeout=30_000)
    return ana


def has_room(person: Person) -> bool:
    """Tell whether the server has a free stream, by requesting one."""
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in person.context.cookies())
    request = urllib.request.Request(f"{person.cloud['viewer']}/live", headers={"Cookie": cookies})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 503:
            raise
        return False


def test_hidden_tab_closes_its_stream_and_catches_up(alone: Person) -> None:
    assert not has_room(alone), "the tab in front holds the only stream"
    alone.page.evaluate(TO_THE, "back")
    alone.page.clock.fast_forward(MINUTE_MS)
    alone.page.wait_for_timeout(LATER_MS)
    wait_until(lambda: has_room(alone), "the end of the hidden tab's stream")
    before = alone.rows()
    missed = published(alone.cloud, 5)
    assert alone.rows() == before
    alone.page.evaluate(TO_THE, "front")
    alone.page.wait_for_selector(f'tr.message[data-id="{missed[-1]}"]', timeout=30_000)
    alone.wait_until_live()
    alone.see_notice("Caught up: 5 messages came while this page was away, since ")
    assert sorted(alone.rows()) == sorted([*before, *missed]), "each is shown once"
    assert not has_room(alone), "the tab in front has a stream again"


def test_briefly_hidden_tab_keeps_its_stream(alone: Person) -> None:
    alone.page.evaluate(TO_THE, "back")
    alone.page.clock.fast_forward(MINUTE_MS // 3)
    alone.page.evaluate(TO_THE, "front")
    alone.page.clock.fast_forward(MINUTE_MS // 3)
    assert not has_room(alone)
    alone.wait_until_live()


def test_tab_opened_hidden_closes_its_stream(alone: Person) -> None:
    alone.page.evaluate("sessionStorage.setItem('in-the-back', 'yes')")
    alone.page.reload()
    alone.page.wait_for_selector('#connection[data-state="live"]', timeout=30_000)
    alone.page.clock.fast_forward(MINUTE_MS)
    alone.page.wait_for_timeout(LATER_MS)
    wait_until(lambda: has_room(alone), "a free stream beside a tab that was never visible")


@pytest.mark.notifies
@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_hidden_tab_with_notifications_keeps_its_stream(alone: Person, is_on: bool) -> None:
    if is_on:
        switch_on(alone)
    alone.page.evaluate(TO_THE, "back")
    alone.page.clock.fast_forward(MINUTE_MS)
    alone.page.wait_for_timeout(LATER_MS)
    assert has_room(alone) is not is_on


def test_messages_during_a_lost_connection_are_counted(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    known = document_id(cloud["subscription"], cloud.publish(b"known"))
    ana.page.wait_for_selector(f'tr.message[data-id="{known}"]')
    ana.context.set_offline(True)
    ana.page.wait_for_selector('#connection[data-state="reconnecting"]')
    missed = published(cloud, 3)
    ana.context.set_offline(False)
    ana.see_notice("Caught up: 3 messages came while this page was away, since ")
    first = ana.rows()[:4]
    # They are pushed at the same time, so they are stored in any order.
    assert (set(first[:3]), first[3]) == (set(missed), known)


def test_return_without_new_messages_shows_no_count(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    ana.context.set_offline(True)
    ana.page.wait_for_selector('#connection[data-state="reconnecting"]')
    ana.context.set_offline(False)
    ana.wait_until_live()
    one = cloud.publish(b"after it came back")
    ana.see(one)
    assert not ana.page.locator(".notice").count()


def test_restarted_stream_counts_the_known_messages(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.wait_until_live()
    ana.see(cloud.publish(b"known before"))
    ana.context.set_offline(True)
    missed = published(cloud, 2)
    ana.page.route("**/live?*", _from_an_unknown_position)
    ana.context.set_offline(False)
    ana.see_notice("Caught up: 2 messages came while this page was away, since ")
    assert set(missed) <= set(ana.rows())
    assert len(ana.rows()) == len(set(ana.rows()))


def test_filtered_list_keeps_its_rows_after_a_resync(visit: Visit, module_cloud: Cloud) -> None:
    with writer_at(module_cloud) as writer:
        rare = [writer.message(attributes={"type": "rare"}, tokens=["type=rare"]) for _ in range(3)]
        ben = visit(cloud=module_cloud, at="/messages?q=type%3Drare")
        # The messages of the other tests have no type.
        ana = visit(cloud=module_cloud, at="/messages?q=has:type%20-type%3Dbeat")
        ana.wait_until_live()
        assert ana.rows() == rare[::-1]
        ana.context.set_offline(True)
        ana.page.wait_for_selector('#connection[data-state="reconnecting"]')
        for _ in range(13):
            writer.messages(200, attributes={"type": "beat"}, tokens=["type=beat"])
        last = writer.message(attributes={"type": "rare"}, tokens=["type=rare"])
        ben.page.wait_for_selector(f'tr.message[data-id="{last}"]')  # then the feed has every message
        ana.context.set_offline(False)
        ana.see_notice("Caught up: 1 message came while this page was away, since ")
        assert ana.rows() == [last, *rare[::-1]]
        assert not ana.page.locator("#skipped").is_visible(), "nothing that matches was missed"


def _from_an_unknown_position(route: "Route") -> None:
    """Request the stream like a browser that was away for longer than the server knows positions."""
    route.continue_(url=f"{route.request.url}&".replace("after=", "after=unknown&was="))
