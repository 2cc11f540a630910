"""The local cloud's HTTP servers answer programs of this machine, and no page of another site."""

import asyncio
import http.client
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from infra.local.http_endpoints import HttpEndpoints
from infra.local.http_server import HttpServer
from infra.local.journal import Journal
from infra.local.loopback_only import problem_of
from infra.local.pubsub.push_delivery import TokenSource
from infra.local.relays.signing_relay import SigningRelay
from infra.local.token_signer import Signer

PORT = 4711
OWN = f"127.0.0.1:{PORT}"


@pytest.mark.parametrize("host", [OWN, f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"])
@pytest.mark.parametrize("origin", [None, f"http://{OWN}", f"http://localhost:{PORT}"])
@pytest.mark.parametrize("fetch_site", [None, "same-origin", "none"])
def test_program_of_this_machine_is_answered(host: str, origin: str | None, fetch_site: str | None) -> None:
    assert problem_of(host, origin, fetch_site, PORT) == ""


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        f"evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"localhost.:{PORT}",
        f"localhost.evil.example:{PORT}",
        f"127.0.0.2:{PORT}",
        f"0.0.0.0:{PORT}",
        f"2130706433:{PORT}",
        f"::1:{PORT}",
        "127.0.0.1",
        f"127.0.0.1:{PORT + 1}",
        f"{OWN}, evil.example",
        f"user@{OWN}",
        f" {OWN}",
    ],
)
def test_other_host_is_refused(host: str | None) -> None:
    problem = problem_of(host, None, None, PORT)
    assert problem.startswith(f"The Host header is {host!r}. ")
    assert f"localhost:{PORT}" in problem


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        f"https://{OWN}",
        "http://127.0.0.1:80",
        f"http://{OWN}.evil.example",
        "http://[",
    ],
)
def test_page_of_another_site_is_refused_by_its_origin(origin: str) -> None:
    assert problem_of(OWN, origin, None, PORT) == f"A page of another site sent this request: its Origin is {origin!r}."


@pytest.mark.parametrize("fetch_site", ["cross-site", "same-site", "", "unknown"])
def test_page_of_another_site_is_refused_by_its_fetch_site(fetch_site: str) -> None:
    assert "Sec-Fetch-Site" in problem_of(OWN, None, fetch_site, PORT)


class _NoTokens(TokenSource):
    def push_token(self, email: str, audience: str) -> str:
        raise AssertionError("a refused request got a token")


def statuses(url: str, requests: list[tuple[str, str]], headers: list[tuple[str, str]]) -> list[int]:
    """Send each method and path with these headers, and no others."""
    found = []
    for method, path in requests:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value or urlsplit(url).netloc)
        connection.endheaders()
        found.append(connection.getresponse().status)
        connection.close()
    return found


OWN_HOST = ("Host", "")  # the server's
ENDPOINTS = [("GET", "/certs"), ("GET", "/backlog"), ("POST", "/token"), ("POST", "/rotate"), ("GET", "/unknown")]


def test_every_endpoint_checks_before_it_acts() -> None:
    signer = Signer()
    key = signer.key.id
    foreign = [
        [("Host", "evil.example")],
        [OWN_HOST, ("Origin", "http://evil.example")],
        [OWN_HOST, ("Sec-Fetch-Site", "cross-site")],
        [OWN_HOST, OWN_HOST],
        [],
    ]

    async def run() -> None:
        site = await HttpServer.start(HttpEndpoints(signer, "e", "a", lambda _: {}, Journal()).application())
        for headers in foreign:
            found = await asyncio.to_thread(statuses, site.url, ENDPOINTS, headers)
            # Without a Host, or with two, the server may find the request itself wrong.
            assert set(found) <= {400, 403}, headers
        assert signer.key.id == key
        assert await asyncio.to_thread(statuses, site.url, ENDPOINTS, [OWN_HOST]) == [200, 200, 200, 200, 404]
        await site.close()

    asyncio.run(run())


def test_relay_signs_nothing_for_a_page() -> None:
    async def run() -> None:
        relay = SigningRelay(_NoTokens(), "http://127.0.0.1:9", "e", "a")
        site = await HttpServer.start(relay.application())
        headers = [OWN_HOST, ("Origin", "http://evil.example")]
        assert await asyncio.to_thread(statuses, site.url, [("POST", "/")], headers) == [403]
        await site.close()
        await relay.close()

    asyncio.run(run())


def test_refusal_is_a_sentence() -> None:
    async def run() -> None:
        site = await HttpServer.start(web.Application())
        async with aiohttp.ClientSession() as http, http.get(site.url, headers={"Host": "evil.example"}) as answer:
            assert "The Host header is 'evil.example'. Use one of the addresses" in await answer.text()
        await site.close()

    asyncio.run(run())
