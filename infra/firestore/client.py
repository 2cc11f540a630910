"""Connections to Firestore, made when first used and once per process.

functions-framework and gunicorn load an application before they fork, and a gRPC channel does not survive a fork:
nothing here may be called at import. Every call names its own timeout and ``retry=None``: Google's default retries go
on for a minute whatever ``timeout`` says.
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

# Bounds of one call on the small collections: a person is waiting.
READ_SECONDS = 5.0
WRITE_SECONDS = 5.0

# Ten megabyte payloads come back as 900 KiB documents, twelve to a reply: above gRPC's default of 4 MiB.
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# A connection that a middle box forgot is noticed by an idle listener only through pings.
_KEEPALIVE = [("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000)]
# gRPC's own pause between two attempts to connect grows to two minutes, in which every call fails at once.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000)]


# Otherwise a new channel takes over the connection of the old one, dead or not.
_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
_OPTIONS = [*_UNLIMITED, *_RECONNECT, *_OWN_CONNECTION]


def fields_of(document: Snapshot) -> dict[str, Any]:
    """Return a document's fields; none if it does not exist."""
    return document.to_dict() or {}


class Database:
    """One database of one project: names, metadata, and the three ways to speak to it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._documents: firestore.Client | None = None
        self._api: FirestoreClient | None = None
        self._credentials: Any = None  # of asynchronous connections
        self.name = f"projects/{settings.google_cloud_project}/databases/{settings.firestore_database}"
        # The root of every document's full name, without a slash at the end.
        self.root = f"{self.name}/documents"

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What every raw call sends along: the routing header and, to an emulator, its own authorization."""
        pairs = [("google-cloud-resource-prefix", self.name)]
        if self._settings.firestore_emulator_host:
            # Google's emulator applies security rules to everyone but its owner.
            pairs.append(("authorization", "Bearer owner"))
        return pairs

    @cached_property
    def call_metadata(self) -> list[tuple[str, str]]:
        """What calls without Google's client send along: it adds the routing itself."""
        routing = routing_header.to_grpc_metadata((("database", self.name),))  # type: ignore[no-untyped-call]
        return [*self.metadata, routing]

    @property
    def documents(self) -> firestore.Client:
        """Google's document client: for the small collections (users, sessions, subscriptions, audit)."""
        with self._lock:  # two first requests at once must not make two connections
            if self._documents is None:
                settings = self._settings
                self._documents = firestore.Client(
                    project=settings.google_cloud_project, database=settings.firestore_database
                )
            return self._documents

    @property
    def api(self) -> FirestoreClient:
        """The raw client, for threads: messages and Listen."""
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
        """Leave the raw client's connection, which went silent: the next call makes a new one.

        What is under way on the old one may still be answered; it is closed when nothing uses it any more.
        """
        with self._lock:
            self._api = None

    async def open_async_channel(self) -> grpc.aio.Channel:
        """A new connection of Google's asynchronous client, for the running event loop.

        The client itself is left out: its wrappers and interceptors cost 0.3 ms of CPU a call, as much as encoding six
        messages.
        """
        host = self._settings.firestore_emulator_host
        if host:
            return grpc.aio.insecure_channel(host, options=_OPTIONS)
        # Credentials may come from a server that takes its time: the event loop does not wait for it, and a new
        # connection keeps what they know.
        if self._credentials is None:
            scopes = FirestoreGrpcAsyncIOTransport.AUTH_SCOPES
            self._credentials, _ = await asyncio.to_thread(google.auth.default, scopes=scopes)
        return FirestoreGrpcAsyncIOTransport.create_channel(credentials=self._credentials, options=_OPTIONS)

    def close(self) -> None:
        """Close the connections that were made; the asynchronous one belongs to its event loop."""
        with self._lock:
            if self._documents is not None:
                self._documents.close()  # type: ignore[no-untyped-call]
            if self._api is not None:
                self._api.transport.close()  # type: ignore[no-untyped-call]
            self._documents = self._api = None
