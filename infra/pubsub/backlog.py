"""The backlog of each monitored subscription: the number of waiting messages, and the age of the oldest.

The figures come from Cloud Monitoring, which samples both once a minute and shows them minutes later, so each figure
carries its time; on the local cloud they come from the local cloud. A thread reads them at most once a minute, so that
no page waits long for them. A figure that cannot be read is left out.
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
# The local cloud's figure is current, and reading it costs nothing.
KEEP_LOCAL_SECONDS = 1.0
# A page does not wait longer: its script fetches the figure again soon.
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
    """``oldest_seconds`` is None if no message waits or it is unknown; ``as_of`` (aware UTC) is the figure's time."""

    messages: int
    oldest_seconds: int | None
    as_of: datetime


class BacklogReader:
    """Reads and keeps the last figures. ``monitoring`` is Cloud Monitoring's address."""

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
        self._figures: Mapping[str, SubscriptionBacklog] = {}
        self._read_at = float("-inf")
        self._reading: threading.Event | None = None

    def all(self, wait_seconds: float | None = None) -> Mapping[str, SubscriptionBacklog]:
        """Return the known figures by subscription id.

        Old figures are read again. Waits at most ``wait_seconds`` (WAIT_SECONDS if None), then returns the old ones.
        """
        with self._lock:
            reading = self._reading
            if reading is None and time.monotonic() - self._read_at >= self._keep_seconds:
                reading = self._reading = threading.Event()
                threading.Thread(target=self._read, args=(reading,), name="backlog", daemon=True).start()
        if reading:
            reading.wait(self._wait_seconds if wait_seconds is None else wait_seconds)
        return self._figures

    def _read(self, done: threading.Event) -> None:
        figures: Mapping[str, SubscriptionBacklog] = {}
        try:
            figures = self._from_local() if self._settings.backlog_url else self._from_monitoring()
        # The library's requests fail with OSError; a reply that is not JSON, or has another shape, with the others.
        except (OSError, GoogleAuthError, ValueError, KeyError, TypeError) as exc:
            self._log.warning("The backlog cannot be read.", reason=f"{type(exc).__name__}: {exc}")
        with self._lock:
            self._figures, self._read_at, self._reading = figures, time.monotonic(), None
        done.set()

    def _from_local(self) -> dict[str, SubscriptionBacklog]:
        now = datetime.now(UTC)
        figures = {}
        for subscription in self._settings.subscriptions:
            name = self._settings.subscription_path(subscription)
            reply = self._get(self._settings.backlog_url, {"subscription": name})
            if reply is not None:
                since = reply["oldest_publish_time"]
                oldest = int((now - datetime.fromisoformat(since)).total_seconds()) if since else None
                figures[subscription] = SubscriptionBacklog(int(reply["messages"]), oldest, now)
        return figures

    def _from_monitoring(self) -> dict[str, SubscriptionBacklog]:
        messages, oldest = self._newest(_MESSAGES), self._newest(_OLDEST)
        return {
            subscription: SubscriptionBacklog(
                count, oldest[subscription][0] if count and subscription in oldest else None, as_of
            )
            for subscription, (count, as_of) in messages.items()
        }

    def _newest(self, metric: str) -> dict[str, Point]:
        """Return the newest point of each subscription's series (projects.timeSeries.list: points are newest first)."""
        now = datetime.now(UTC)
        ids = ", ".join(f'"{subscription}"' for subscription in self._settings.subscriptions)
        reply = self._get(
            f"{self._monitoring}/v3/projects/{self._settings.google_cloud_project}/timeSeries",
            {
                "filter": f'metric.type = "{metric}" AND resource.labels.subscription_id = one_of({ids})',
                "interval.startTime": f"{now - _LOOK_BACK:%Y-%m-%dT%H:%M:%SZ}",
                "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            },
        )
        series = (reply or {}).get("timeSeries", [])
        return {entry["resource"]["labels"]["subscription_id"]: _point(entry["points"][0]) for entry in series}

    def _get(self, url: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the JSON object at an address; None if the figure does not exist there."""
        response = self._session.get(url, params=parameters, timeout=_CALL_SECONDS)
        if response.status_code in (404, 501):
            return None
        response.raise_for_status()
        body = response.json()
        if not isinstance(body, dict):
            raise TypeError(f"wanted a JSON object, found {type(body).__name__}")
        return body

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
    session.trust_env = False  # a proxy cannot reach this machine
    return session


def _point(point: Mapping[str, Any]) -> Point:
    return int(point["value"]["int64Value"]), datetime.fromisoformat(point["interval"]["endTime"])
