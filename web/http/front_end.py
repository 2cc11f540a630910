"""The proxies before the viewer on Cloud Run, and the hosts that the viewer answers for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from web.services import services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Probes and load balancers call these by an address of their choice. An error page needs the static files.
_FOR_ANY_HOST = frozenset({"health.healthz", "health.ready", "static", "bootstrap.static"})


class FrontEnd:
    """WSGI middleware that takes a request's client and scheme from the proxies before the viewer (T27).

    Each of the ``trusted`` proxies has appended the address that it saw to X-Forwarded-For, so the client is the last
    entry but ``trusted - 1``. A client can send any entries to the left of it. The scheme is the last proxy's.
    """

    def __init__(self, application: "WSGIApplication", trusted: int) -> None:
        self._trusted = trusted
        self._application = ProxyFix(application, x_for=trusted, x_proto=1, x_host=0)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if "HTTP_X_FORWARDED_FOR" in environ:
            # ProxyFix reads quoted strings: a quote that a client sent would swallow the entries after it.
            written = environ["HTTP_X_FORWARDED_FOR"].split(",")[-self._trusted :]
            environ["HTTP_X_FORWARDED_FOR"] = ",".join(written)
        return self._application(environ, start_response)


def refuse_other_hosts() -> None:
    """Refuse a request for a host that PUBLIC_ADDRESSES does not name, if it names any (421, RFC 9110, 15.5.20)."""
    addresses = services().settings.public_addresses
    if not addresses or request.endpoint in _FOR_ANY_HOST:
        return
    if f"https://{request.host.lower()}" not in addresses:
        abort(421, f"This viewer is opened at {addresses[0]}, and the request was for the host {request.host!r}.")
