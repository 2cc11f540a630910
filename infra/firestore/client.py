"""Connections to Firestore, opened at first use and once in a process.

functions-framework and gunicorn load an application before they fork, and a gRPC channel does not survive a fork:
nothing here may be called at import. Every call passes a timeout and ``retry=None``: Google's default retries continue
for a minute, regardless of ``timeout``.
"""

import asyncio
import threading
from functools import cached_property
from typing import Any, TypeAlias

import google.auth
import grpc
from google.api_core.gapic_v1 import routing_header
from google.cloud import firestore
from google.cloud.firestore import DocumentReference, DocumentSnapshot
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import (
    FirestoreGrpcAsyncIOTransport,
    FirestoreGrpcTransport,
)

from infra.settings import Settings

# A document as it was read, with its update time for a precondition.
Snapshot: TypeAlias = DocumentSnapshot[DocumentReference]

# Timeouts of calls on the small collections, where a person waits for the answer.
READ_SECONDS = 5.0
WRITE_SECONDS = 5.0

# Payloads of ten megabytes are read as 900 KiB documents, twelve in a reply: above gRPC's default of 4 MiB.
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# Only keep-alive pings show an idle listener that a NAT has dropped its connection.
_KEEPALIVE = [("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000)]
# gRPC's default back-off between attempts to connect grows to two minutes, in which every call fails at once.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000)]


# Otherwise a new channel shares the connection of the old one, even a dead one.
_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
_OPTIONS = [*_UNLIMITED, *_RECONNECT, *_OWN_CONNECTION]


def fields_of(document: Snapshot) -> dict[str, Any]:
    """Return a document's fields; none if it does not exist."""
    return document.to_dict() or {}


class Database:
    """One database of one project: names, metadata, and its three clients."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._documents: firestore.Client | None = None
        self._api: FirestoreClient | None = None
        self._credentials: Any = None  # for asynchronous connections
        self.name = f"projects/{settings.google_cloud_project}/databases/{settings.firestore_database}"
        # The root of every document's full name, without a slash at the end.
        self.root = f"{self.name}/documents"

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """The metadata of each raw call: the routing header and, for an emulator, its authorization."""
        pairs = [("google-cloud-resource-prefix", self.name)]
        if self._settings.firestore_emulator_host:
            # Google's emulator applies security rules to all callers except its owner.
            pairs.append(("authorization", "Bearer owner"))
        return pairs

    @cached_property
    def call_metadata(self) -> list[tuple[str, str]]:
        """The metadata of calls without Google's client, which would add the routing itself."""
        routing = routing_header.to_grpc_metadata((("database", self.name),))  # type: ignore[no-untyped-call]
        return [*self.metadata, routing]

    @property
    def documents(self) -> firestore.Client:
        """Google's document client: for the small collections (users, sessions, subscriptions, audit)."""
        with self._lock:  # two concurrent first requests must not open two connections
            if self._documents is None:
                settings = self._settings
                self._documents = firestore.Client(
                    project=settings.google_cloud_project, database=settings.firestore_database
                )
            return self._documents

    @property
    def api(self) -> FirestoreClient:
        """The raw client, thread-safe: for messages and Listen."""
        with self._lock:
            if self._api is None:
                self._api = FirestoreClient(transport=self._transport())
            return self._api

    def _transport(self) -> FirestoreGrpcTransport:
        host = self._settings.firestore_emulator_host
        options = [*_OPTIONS, *_KEEPALIVE]
        if host:
            return FirestoreGrpcTransport(channel=grpc.insecure_channel(host, options=options), host=host)
        return FirestoreGrpcTransport(channel=FirestoreGrpcTransport.create_channel(options=options))

    def renew(self) -> None:
        """Replace the raw client's dead connection: the next call opens a new one.

        Calls in flight on the old one may still be answered; it is closed when nothing uses it.
        """
        with self._lock:
            self._api = None

    async def open_async_channel(self) -> grpc.aio.Channel:
        """Open a new connection as Google's asynchronous client does, for the running event loop.

        The client itself is not used: its wrappers and interceptors cost 0.3 ms of CPU a call, as much as encoding six
        messages.
        """
        host = self._settings.firestore_emulator_host
        if host:
            return grpc.aio.insecure_channel(host, options=_OPTIONS)
        # Credentials may come from a slow server: a thread waits for it instead of the event loop, and a new
        # connection reuses them.
        if self._credentials is None:
            scopes = FirestoreGrpcAsyncIOTransport.AUTH_SCOPES
            self._credentials, _ = await asyncio.to_thread(google.auth.default, scopes=scopes)
        return FirestoreGrpcAsyncIOTransport.create_channel(credentials=self._credentials, options=_OPTIONS)

    def close(self) -> None:
        """Close the connections that are open; the owner of an asynchronous one closes it."""
        with self._lock:
            if self._documents is not None:
                self._documents.close()  # type: ignore[no-untyped-call]
            if self._api is not None:
                self._api.transport.close()  # type: ignore[no-untyped-call]
            self._documents = self._api = None
