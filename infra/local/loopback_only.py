"""Refuse HTTP requests that a web page makes a browser on this machine send.

The endpoints of the local cloud have no sign-in. A page of another site reaches a port of this machine under a name
that its DNS server points to 127.0.0.1 (DNS rebinding), and any page can send a form to it. A browser names the page in
``Host``, ``Origin`` and ``Sec-Fetch-Site``. curl and Google's clients send their true ``Host`` and neither of the
others.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OWN = frozenset({"same-origin", "none"})


def problem_of(host: str | None, origin: str | None, fetch_site: str | None, port: int) -> str:
    """Return why a request to ``port`` of this machine is refused; empty if it is not."""
    addresses = [f"{name}:{port}" for name in _NAMES]
    if host is None or host.lower() not in addresses:
        return f"The Host header is {host!r}. Use one of the addresses of this machine: {', '.join(addresses)}."
    if origin is not None and origin.lower() not in [f"http://{address}" for address in addresses]:
        return f"A page of another site sent this request: its Origin is {origin!r}."
    if fetch_site is not None and fetch_site.lower() not in _OWN:
        return f"A page of another site sent this request: its Sec-Fetch-Site is {fetch_site!r}."
    return ""


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to such a request, before its handler sees it."""
    assert request.transport is not None
    port: int = request.transport.get_extra_info("sockname")[1]
    hosts = request.headers.getall("Host", [])
    problem = problem_of(
        hosts[0] if len(hosts) == 1 else None,
        request.headers.get("Origin"),
        request.headers.get("Sec-Fetch-Site"),
        port,
    )
    if problem:
        return web.json_response({"error": problem}, status=403)
    return await handler(request)
