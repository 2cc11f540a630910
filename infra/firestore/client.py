"""Connections to Firestore, made when first used and once per process.

functions-framework and gunicorn load an application before they fork, and a gRPC channel does not survive a fork:
nothing here may be called at import. Every call names its own timeout and ``retry=None``: Google's default retries go
on for a minute whatever ``timeout`` says.
"""

import threading
from functools import cached_property
from typing import Any

import grpc
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import (
    FirestoreGrpcAsyncIOTransport,
    FirestoreGrpcTransport,
)

from infra.settings import Settings

# Bounds of one call on the small collections: a person is waiting.
READ_SECONDS = 5.0
WRITE_SECONDS = 5.0

# Ten megabyte payloads come back as 900 KiB documents, twelve to a reply: above gRPC's default of 4 MiB.
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# A connection that a middle box forgot is noticed by an idle listener only through pings.
_KEEPALIVE = [("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 20_000)]
# gRPC's own pause between two attempts to connect grows to two minutes, in which every call fails at once.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2_000)]


class Database:
    """One database of one project: names, metadata, and the three ways to speak to it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._documents: Any = None
        self._api: FirestoreClient | None = None
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

    @property
    def documents(self) -> Any:
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
        options = [*_UNLIMITED, *_KEEPALIVE, *_RECONNECT]
        if host:
            return FirestoreGrpcTransport(channel=grpc.insecure_channel(host, options=options), host=host)
        return FirestoreGrpcTransport(channel=FirestoreGrpcTransport.create_channel(options=options))

    @cached_property
    def async_channel(self) -> grpc.aio.Channel:
        """The connection of Google's asynchronous client, for one event loop.

        The client itself is left out: its wrappers and interceptors cost 0.3 ms of CPU a call, as much as encoding six
        messages.
        """
        host = self._settings.firestore_emulator_host
        options = [*_UNLIMITED, *_RECONNECT]
        if host:
            return grpc.aio.insecure_channel(host, options=options)
        return FirestoreGrpcAsyncIOTransport.create_channel(options=options)

    def close(self) -> None:
        """Close the connections that were made; the asynchronous one belongs to its event loop."""
        with self._lock:
            if self._documents is not None:
                self._documents.close()
            if self._api is not None:
                self._api.transport.close()  # type: ignore[no-untyped-call]
            self._documents = self._api = None
