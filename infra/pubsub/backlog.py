"""What waits in Pub/Sub for each monitored subscription: how many messages, and how old the oldest is.

From Cloud Monitoring, which samples both once a minute and shows them minutes later, so a figure carries its time; on
the local cloud from the local cloud. Asked at most once a minute, beside the requests that want to know: a page never
waits long for it, and what cannot be read is left out.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import google.auth
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from infra.logs import Logger
from infra.settings import ViewerSettings

MONITORING = "https://monitoring.googleapis.com"
KEEP_SECONDS = 60.0
# The local cloud's figure is of this moment, and asking costs nothing.
KEEP_LOCAL_SECONDS = 1.0
# A page is not to be slow for a figure that its script fetches again in a moment.
WAIT_SECONDS = 0.3
WAIT_LOCAL_SECONDS = 1.0
_CALL_SECONDS = 3.0
_LOOK_BACK = timedelta(minutes=10)
_SCOPES = ("https://www.googleapis.com/auth/monitoring.read",)
# cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub
_MESSAGES = "pubsub.googleapis.com/subscription/num_undelivered_messages"
_OLDEST = "pubsub.googleapis.com/subscription/oldest_unacked_message_age"

Point = tuple[int, datetime]
_Session: Any = AuthorizedSession  # carries no types


@dataclass(frozen=True, slots=True)
class SubscriptionBacklog:
    """``oldest_seconds`` is None when nothing waits or it is not known; ``as_of`` (aware UTC) is the figure's time."""

    messages: int
    oldest_seconds: int | None
    as_of: datetime


class BacklogReader:
    """The last figures of each monitored subscription. ``monitoring`` is Cloud Monitoring's address."""

    def __init__(
        self,
        settings: ViewerSettings,
        log: Logger,
        monitoring: str = MONITORING,
        session: Callable[[], AuthorizedSession] | None = None,
    ) -> None:
        self._settings = settings
        self._log = log
        self._monitoring = monitoring
        self._make_session = session or (_anonymous if settings.backlog_url else _authorized)
        self._keep_seconds = KEEP_LOCAL_SECONDS if settings.backlog_url else KEEP_SECONDS
        self._wait_seconds = WAIT_LOCAL_SECONDS if settings.backlog_url else WAIT_SECONDS
        self._lock = threading.Lock()
        self._found: Mapping[str, SubscriptionBacklog] = {}
        self._found_at = float("-inf")
        self._asking: threading.Event | None = None

    def all(self, wait_seconds: float | None = None) -> Mapping[str, SubscriptionBacklog]:
        """The figures by subscription id; one that is not known is not in it.

        Figures that are too old are asked for anew, and waited for no longer than ``wait_seconds`` (WAIT_SECONDS when
        None): then the old ones have to do.
        """
        with self._lock:
            asking = self._asking
            if asking is None and time.monotonic() - self._found_at >= self._keep_seconds:
                asking = self._asking = threading.Event()
                threading.Thread(target=self._ask, args=(asking,), name="backlog", daemon=True).start()
        if asking:
            asking.wait(self._wait_seconds if wait_seconds is None else wait_seconds)
        return self._found

    def _ask(self, done: threading.Event) -> None:
        found: Mapping[str, SubscriptionBacklog] = {}
        try:
            found = self._from_local() if self._settings.backlog_url else self._from_monitoring()
        # A request of the library's fails with an OSError; what is no JSON, or of another shape, with the others.
        except (OSError, GoogleAuthError, ValueError, KeyError, TypeError) as exc:
            self._log.warning("backlog cannot be read", reason=f"{type(exc).__name__}: {exc}")
        with self._lock:
            self._found, self._found_at, self._asking = found, time.monotonic(), None
        done.set()

    def _from_local(self) -> dict[str, SubscriptionBacklog]:
        now = datetime.now(UTC)
        found = {}
        for subscription in self._settings.subscriptions:
            name = self._settings.subscription_path(subscription)
            said = self._get(self._settings.backlog_url, {"subscription": name})
            if said is not None:
                since = said["oldest_publish_time"]
                oldest = int((now - datetime.fromisoformat(since)).total_seconds()) if since else None
                found[subscription] = SubscriptionBacklog(int(said["messages"]), oldest, now)
        return found

    def _from_monitoring(self) -> dict[str, SubscriptionBacklog]:
        messages, oldest = self._newest(_MESSAGES), self._newest(_OLDEST)
        return {
            subscription: SubscriptionBacklog(
                count, oldest[subscription][0] if count and subscription in oldest else None, as_of
            )
            for subscription, (count, as_of) in messages.items()
        }

    def _newest(self, metric: str) -> dict[str, Point]:
        """The newest point of each subscription's series (projects.timeSeries.list: points are newest first)."""
        now = datetime.now(UTC)
        wanted = ", ".join(f'"{one}"' for one in self._settings.subscriptions)
        said = self._get(
            f"{self._monitoring}/v3/projects/{self._settings.google_cloud_project}/timeSeries",
            {
                "filter": f'metric.type = "{metric}" AND resource.labels.subscription_id = one_of({wanted})',
                "interval.startTime": f"{now - _LOOK_BACK:%Y-%m-%dT%H:%M:%SZ}",
                "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        series = (said or {}).get("timeSeries", [])
        return {one["resource"]["labels"]["subscription_id"]: _point(one["points"][0]) for one in series}

    def _get(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """The JSON object at an address; None when it has nothing of what was asked for."""
        response = self._session.get(url, params=parameters, timeout=_CALL_SECONDS)
        if response.status_code in (404, 501):
            return None
        response.raise_for_status()
        found = response.json()
        if not isinstance(found, dict):
            raise TypeError(f"wanted a JSON object, found {type(found).__name__}")
        return found

    @cached_property
    def _session(self) -> AuthorizedSession:
        return self._make_session()


def _authorized() -> AuthorizedSession:
    default: Any = google.auth.default  # carries no types
    credentials, _ = default(scopes=_SCOPES)
    session: AuthorizedSession = _Session(credentials)
    return session


def _anonymous() -> AuthorizedSession:
    credentials: Any = AnonymousCredentials
    session: AuthorizedSession = _Session(credentials())
    session.trust_env = False  # a proxy has no way to this machine
    return session


def _point(point: Mapping[str, Any]) -> Point:
    return int(point["value"]["int64Value"]), datetime.fromisoformat(point["interval"]["endTime"])
