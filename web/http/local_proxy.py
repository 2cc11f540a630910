"""Restore the host and scheme of requests that come through ``gcloud run services proxy``: plain http to localhost.

The proxy replaces the Host header by Cloud Run's and leaves Origin, Referer and cookies unchanged
(github.com/GoogleCloudPlatform/cloud-run-proxy). The check of the origin, the cookie's name and flags, and the form
token's Referer depend on host and scheme, so they must see the browser's. Use it only for a viewer that clients reach
through the proxy alone: changes that a page at its public address sends are refused.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class LocalProxy:
    """WSGI middleware that replaces Cloud Run's host by one of ``addresses`` (local origins, at least one)."""

    def __init__(self, application: "WSGIApplication", addresses: tuple[str, ...]) -> None:
        self._application, self._addresses = application, addresses

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Only requests that change something have an Origin; for the others the first address will do.
        origin = environ.get("HTTP_ORIGIN", "")
        address = urlsplit(origin if origin in self._addresses else self._addresses[0])
        environ.update({"HTTP_HOST": address.netloc, "wsgi.url_scheme": address.scheme})
        return self._application(environ, start_response)
