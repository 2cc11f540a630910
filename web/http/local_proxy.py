"""Requests that ``gcloud run services proxy`` passed on, as the browser made them: plain http to its own machine.

The proxy writes Cloud Run's host over the browser's and leaves Origin, Referer and cookies as they are
(github.com/GoogleCloudPlatform/cloud-run-proxy). What depends on host or scheme (another site's request, the cookie's
name and flags, the form token's Referer) must go by what the browser knows. Only for a viewer that nobody reaches
otherwise: it takes its own address for none of these.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Proxied:
    """A WSGI application that sees these local addresses (origins, at least one) instead of the service's own."""

    def __init__(self, application: "WSGIApplication", addresses: tuple[str, ...]) -> None:
        self._application, self._addresses = application, addresses

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Only requests that change something name their origin; for others any of the addresses is as good.
        origin = environ.get("HTTP_ORIGIN", "")
        address = urlsplit(origin if origin in self._addresses else self._addresses[0])
        environ.update({"HTTP_HOST": address.netloc, "wsgi.url_scheme": address.scheme})
        return self._application(environ, start_response)
