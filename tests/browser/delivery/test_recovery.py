"""Recovery: a killed viewer or receiver loses no message, and the page says "live" only when it is live."""

import os
import signal
from pathlib import Path

from tests.support.browser.person import Visit
from tests.support.local_cloud import Cloud
from tests.support.waiting import wait_until


def test_page_reconnects_after_the_viewer_was_killed(visit: Visit, each_cloud: Cloud) -> None:
    ana = visit(cloud=each_cloud)
    ana.wait_until_live()
    ana.page.evaluate("window.neverReloaded = true")
    before = each_cloud.publish(b"before")
    ana.see(before)
    dead = each_cloud.kill("viewer")
    during = each_cloud.publish(b"while it was away")
    ana.page.wait_for_selector('#connection[data-state="reconnecting"]:has-text("not live")')
    wait_until(lambda: each_cloud.pid("viewer") not in (dead, None), "the viewer's restart", 15)
    ana.see(during, seconds=30)
    ana.wait_until_live()
    ana.see(each_cloud.publish(b"after"))
    assert ana.page.evaluate("window.neverReloaded"), "the page was reloaded"
    assert len(ana.rows()) == len(set(ana.rows())), "a row is shown twice"


def test_messages_wait_for_a_killed_receiver(visit: Visit, each_cloud: Cloud) -> None:
    ana = visit(cloud=each_cloud)
    ana.wait_until_live()
    each_cloud.kill("receiver")
    waiting = [each_cloud.publish(f"waits {number}".encode()) for number in range(3)]
    for one in waiting:
        ana.see(one, seconds=60)
    assert len(ana.rows()) == len(set(ana.rows())), "a row is shown twice"


def test_silently_dead_connection_is_detected(visit: Visit, cloud: Cloud) -> None:
    ana = visit()
    ana.page.clock.install()
    ana.page.reload()
    ana.wait_until_live()
    frozen = workers(cloud)
    for one in frozen:
        os.kill(one, signal.SIGSTOP)
    try:
        ana.page.clock.fast_forward(30_000)
        assert ana.page.locator("#connection").get_attribute("data-state") == "live", "given up too soon"
        ana.page.clock.fast_forward(30_000)
        ana.page.wait_for_selector('#connection[data-state="reconnecting"]:has-text("not live")')
    finally:
        for one in frozen:
            os.kill(one, signal.SIGCONT)
    ana.page.clock.resume()
    ana.wait_until_live()


def workers(cloud: Cloud) -> list[int]:
    """Return the worker processes of gunicorn; the started process only supervises them."""
    viewer = cloud.pid("viewer")
    return [int(one) for one in Path(f"/proc/{viewer}/task/{viewer}/children").read_text().split()]
