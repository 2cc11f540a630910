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
from infra.settings import receiver_settings

try:
    settings = receiver_settings(os.environ)
except SettingsError as exc:
    Logger().log("CRITICAL", str(exc))
    raise SystemExit(1) from None
keep_connections()


@functools.cache
def receiver() -> Receiver:
    """Create this process's receiver once, on its running event loop."""
    writer = MessageWriter(Database(settings))
    retention = timedelta(days=settings.retention_days)
    return Receiver(
        settings,
        TokenVerifier(_signature(), settings.push_audience, settings.push_service_account, time.time),
        GroupCommit(writer, shards=settings.message_shards, retention=retention, now=_now),
        Rejections(writer, retention=retention, now=_now, clock=time.monotonic),
        Logger(settings.log_level, settings.google_cloud_project, handler=BackgroundHandler()),
    )


def _signature() -> Signature:
    google = GoogleSignature(KeyRing(lambda: fetch_keys(settings.oidc_certs_url), time.time))
    return PlatformSignature(google, time.time) if settings.signature_check == "platform" else google


def _now() -> datetime:
    return datetime.now(UTC)


@functions_framework.aio.http
async def receive(request: Request) -> Response:
    """Answer one push from Pub/Sub."""
    return await receiver().receive(request)
