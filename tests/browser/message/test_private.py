"""A private viewer, opened through ``gcloud run services proxy`` on a local machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.browser.beside import Beside, viewer_beside
from tests.support.browser.cloud_run_proxy import cloud_run_proxy
from tests.support.browser.person import Person
from tests.support.local_cloud import Cloud
from tests.support.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(params=["localhost", "127.0.0.1"])
def private(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Iterator[Cloud]:
    """The viewer behind the proxy, under one of the two names that people type."""
    port = free_port()
    addresses = f"http://localhost:{port},http://127.0.0.1:{port}"
    with (
        viewer_beside(cloud, tmp_path, LOCAL_ADDRESSES=addresses) as place,
        cloud_run_proxy(port, place["viewer"]),
    ):
        yield Beside(cloud, f"http://{request.param}:{port}")


def test_private_viewer_signs_in_watches_and_signs_out(chromium: "Browser", private: Cloud) -> None:
    context = chromium.new_context()
    ana = Person(context, private)
    ana.open("/login")
    ana.fill_in_sign_in()
    ana.page.wait_for_url(private["viewer"] + "/**")
    ana.wait_until_live()
    ana.see(private.publish(uuid4().bytes))
    ana.page.click(".menu summary")
    ana.page.click('button:text-is("Sign out")')
    ana.page.wait_for_url(private["viewer"] + "/login**")
    assert not ana.troubles
    context.close()
