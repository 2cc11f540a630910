"""Connections to Pub/Sub, made on first use and once per process, and the mapping of its errors.

Uses the generated clients: ``google.cloud.pubsub_v1`` takes 570 ms to import and brings batching and threads that
Subscope does not need.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import grpc
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from infra.errors import (
    InputError,
    SubscriptionDeniedError,
    SubscriptionError,
    SubscriptionMissingError,
    SubscriptionUnavailableError,
)
from infra.settings import Settings

CALL_SECONDS = 10.0
# Below the limits of Pub/Sub: the rest of a request needs some room.
REQUEST_MESSAGES = 100
REQUEST_BYTES = 9_000_000
M = TypeVar("M")
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class PubSub:
    """The admin and publishing APIs of one project. Each call passes its timeout and ``retry=None``."""

    def __init__(self, settings: Settings) -> None:
        self._host = settings.pubsub_emulator_host

    @cached_property
    def subscriber(self) -> SubscriberClient:
        """The client that reads and changes subscriptions."""
        if not self._host:
            return SubscriberClient()
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel, host=self._host))

    @cached_property
    def publisher(self) -> PublisherClient:
        """The client that publishes, and reads topics."""
        if not self._host:
            return PublisherClient()
        return PublisherClient(transport=PublisherGrpcTransport(channel=self._channel, host=self._host))

    def close(self) -> None:
        """Close the open connections."""
        for name in ("subscriber", "publisher"):
            if client := self.__dict__.pop(name, None):
                client.transport.close()

    @cached_property
    def _channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self._host, options=_UNLIMITED)


def in_requests(
    messages: Iterable[M], ordering_key: Callable[[M], str], size_bytes: Callable[[M], int]
) -> Iterator[list[M]]:
    """Group messages, in their order, into requests that Pub/Sub takes. Holds one request in memory.

    Pub/Sub refuses a request that mixes ordering keys, or has more than 1,000 messages or 10 MB.
    """
    request: list[M] = []
    request_bytes = 0
    for message in messages:
        is_full = request_bytes + size_bytes(message) > REQUEST_BYTES or len(request) == REQUEST_MESSAGES
        if request and (is_full or ordering_key(message) != ordering_key(request[0])):
            yield request
            request, request_bytes = [], 0
        request.append(message)
        request_bytes += size_bytes(message)
    if request:
        yield request


@contextmanager
def pubsub_errors(doing: str) -> Iterator[None]:
    """Map the errors of Google's client: InputError for INVALID_ARGUMENT, otherwise a SubscriptionError."""
    try:
        yield
    except (google.GoogleAPICallError, google.RetryError, GoogleAuthError, grpc.RpcError) as exc:
        raise _pubsub_error(exc, doing) from exc


def _pubsub_error(exc: Exception, doing: str) -> SubscriptionError | InputError:
    reason = str(getattr(exc, "message", None) or exc)
    text = f"Pub/Sub, {doing}: {reason}"
    match exc:
        case google.NotFound():
            return SubscriptionMissingError(text)
        case google.PermissionDenied() | google.Unauthenticated():
            return SubscriptionDeniedError(text)
        case google.InvalidArgument():
            return InputError(doing, reason)
        case google.FailedPrecondition() | google.MethodNotImplemented() | google.AlreadyExists():
            return SubscriptionError(text)
        case _:
            return SubscriptionUnavailableError(text)
