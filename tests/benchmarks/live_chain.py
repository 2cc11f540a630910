"""The whole chain from Google's publisher client to a frame at the viewer's /live."""

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.messages.message import document_id
from tests.benchmarks.timings import Found, arrived
from tests.support.local_cloud import Cloud, start_cloud
from tests.support.viewer.process import HttpClient, HttpVisitor
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 10.0


def measure_chain(directory: Path, rates: Sequence[int], seconds: float) -> Iterator[tuple[int, Found]]:
    """Publish to one local cloud at each rate for ``seconds``."""
    with start_cloud(directory) as cloud:
        client = HttpClient(sign_in(cloud))
        wait_until(lambda: any(one.data["status"] == "live" for one in client.of("feed")), "the feed's state live")
        publish(cloud, 10, 1)  # connections, keys and templates are made by the first message
        for rate in rates:
            sent = publish(cloud, rate, seconds)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < deadline and not set(sent) <= set(client.ids()):
                time.sleep(0.05)
            yield rate, arrived(sent, {frame.data["id"]: frame.at for frame in reversed(client.of("message"))})
        client.close()


def publish(cloud: Cloud, rate: int, seconds: float) -> dict[str, float]:
    """Publish evenly; return the time at which the client got each message, by its document's id."""
    handed: list[tuple[float, Any]] = []
    publisher, began = cloud.publisher(), time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        body = b'{"id": "7d1f", "status": "SUCCESS", "number": %d}' % number
        handed.append((time.monotonic(), publisher.publish(cloud.topic_path, body, buildId=str(number))))
    return {document_id(cloud["subscription"], future.result(timeout=10)): at for at, future in handed}


def sign_in(cloud: Cloud) -> HttpVisitor:
    """Sign in by the form; return a client with the session's cookie."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = cloud["viewer"].rstrip("/") + "/login"
    with opener.open(address, timeout=10) as page:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.read().decode())
    assert token, "the sign-in page has no form token"
    form = {"username": cloud["admin_user"], "password": cloud["admin_password"], "csrf_token": token.group(1)}
    with opener.open(address, urllib.parse.urlencode(form).encode(), timeout=10):
        cookie = next(one.value for one in jar if one.name == "subscope")
    assert cookie, "signing in gave no cookie"
    return HttpVisitor(urllib.parse.urlsplit(address).port or 80, cookie)
