"""Connections to Pub/Sub, made when first used and once per process, and the border of its errors.

The generated clients are used: ``google.cloud.pubsub_v1`` costs 570 ms to import and brings batching and threads that
nothing here needs.
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
# Below what Pub/Sub takes: the rest of a request needs a little room.
REQUEST_MESSAGES = 100
REQUEST_BYTES = 9_000_000
M = TypeVar("M")
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class PubSub:
    """The admin and publishing APIs of one project. Every call names its own timeout and ``retry=None``."""

    def __init__(self, settings: Settings) -> None:
        self._host = settings.pubsub_emulator_host

    @cached_property
    def subscriber(self) -> SubscriberClient:
        """Reads and changes subscriptions."""
        if not self._host:
            return SubscriberClient()
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel, host=self._host))

    @cached_property
    def publisher(self) -> PublisherClient:
        """Publishes, and reads topics."""
        if not self._host:
            return PublisherClient()
        return PublisherClient(transport=PublisherGrpcTransport(channel=self._channel, host=self._host))

    def close(self) -> None:
        """Close the connections that were made."""
        for name in ("subscriber", "publisher"):
            if made := self.__dict__.pop(name, None):
                made.transport.close()

    @cached_property
    def _channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self._host, options=_UNLIMITED)


def in_requests(
    messages: Iterable[M], ordering_key: Callable[[M], str], size_bytes: Callable[[M], int]
) -> Iterator[list[M]]:
    """The messages in requests that Pub/Sub takes, their order kept; never more in memory than one request.

    Pub/Sub refuses a request that mixes ordering keys, and takes 1,000 messages and 10 MB.
    """
    some: list[M] = []
    taken = 0
    for one in messages:
        is_full = taken + size_bytes(one) > REQUEST_BYTES or len(some) == REQUEST_MESSAGES
        if some and (is_full or ordering_key(one) != ordering_key(some[0])):
            yield some
            some, taken = [], 0
        some.append(one)
        taken += size_bytes(one)
    if some:
        yield some


@contextmanager
def pubsub_errors(doing: str) -> Iterator[None]:
    """Raise a SubscriptionError, or InputError for INVALID_ARGUMENT, for whatever Google's client raises inside."""
    try:
        yield
    except (google.GoogleAPICallError, google.RetryError, GoogleAuthError, grpc.RpcError) as exc:
        raise _pubsub_error(exc, doing) from exc


def _pubsub_error(exc: Exception, doing: str) -> SubscriptionError | InputError:
    reason = str(getattr(exc, "message", None) or exc)
    said = f"Pub/Sub, {doing}: {reason}"
    match exc:
        case google.NotFound():
            return SubscriptionMissingError(said)
        case google.PermissionDenied() | google.Unauthenticated():
            return SubscriptionDeniedError(said)
        case google.InvalidArgument():
            return InputError(doing, reason)
        case google.FailedPrecondition() | google.MethodNotImplemented() | google.AlreadyExists():
            return SubscriptionError(said)
        case _:
            return SubscriptionUnavailableError(said)
