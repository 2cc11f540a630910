"""The Cloud Function ``receive``: composes the receiver. No logic.

Settings are read at import, so that a wrong one stops the start. Objects of an event loop are created by the first
request: functions-framework imports this module before it forks its workers, and a connection does not survive a fork.
"""

import functools
import os
import time
from datetime import UTC, datetime, timedelta

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.group_commit import GroupCommit
from functions.http_server import keep_connections
from functions.live_settings import LiveSettings
from functions.receiver import Receiver
from functions.rejections import Rejections
from functions.tokens.google_keys import KeyRing
from functions.tokens.google_signature import GoogleSignature, Signature
from functions.tokens.key_fetch import fetch_keys
from functions.tokens.oidc import TokenVerifier
from functions.tokens.platform_signature import PlatformSignature
from infra.errors import SettingsError
from infra.firestore.client import Database
from infra.firestore.message_writer import MessageWriter
from infra.logs import BackgroundHandler, Logger
from infra.settings import ReceiverSettings, receiver_settings
from infra.settings.settings_file import with_settings_file


def _read() -> ReceiverSettings:
    return receiver_settings(with_settings_file(os.environ))


try:
    settings, read_at = _read(), time.monotonic()
except SettingsError as exc:
    Logger().log("CRITICAL", str(exc))
    raise SystemExit(1) from None
keep_connections()


@functools.cache
def live() -> LiveSettings:
    """Create this process's settings once, on its running event loop."""
    return LiveSettings(settings, read_at, _read, time.monotonic, functools.partial(logger(settings).log, "CRITICAL"))


@functools.lru_cache(maxsize=1)
def receiver(now: ReceiverSettings) -> Receiver:
    """Create this process's receiver; another one when the settings have changed. A request ends where it began."""
    retention = timedelta(days=now.retention_days)
    return Receiver(
        live(),
        tokens(),
        GroupCommit(writer(), shards=now.message_shards, retention=retention, now=_now),
        Rejections(writer(), retention=retention, now=_now, clock=time.monotonic),
        logger(now),
    )


@functools.cache
def writer() -> MessageWriter:
    """Create this process's connection to Firestore once."""
    return MessageWriter(Database(settings))


@functools.cache
def tokens() -> TokenVerifier:
    """Create this process's verifier once: it keeps Google's keys and the tokens that it has verified."""
    return TokenVerifier(_signature(), settings.push_audience, settings.push_service_account, time.time)


@functools.cache
def _handler() -> BackgroundHandler:
    return BackgroundHandler()


def logger(now: ReceiverSettings) -> Logger:
    """Return a logger at the level of the settings; all of them share one thread."""
    return Logger(now.log_level, now.google_cloud_project, handler=_handler())


def _signature() -> Signature:
    google = GoogleSignature(KeyRing(lambda: fetch_keys(settings.oidc_certs_url), time.time))
    return PlatformSignature(google, time.time) if settings.signature_check == "platform" else google


def _now() -> datetime:
    return datetime.now(UTC)


@functions_framework.aio.http
async def receive(request: Request) -> Response:
    """Answer one push from Pub/Sub."""
    current = live()
    waited_seconds = await current.renew() if current.are_old() else 0.0
    return await receiver(current.now).receive(request, waited_seconds)
