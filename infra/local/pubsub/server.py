"""The local Pub/Sub: its two gRPC services, and the state of its backlogs."""

import aiohttp
import grpc

from infra.local.journal import Journal
from infra.local.pubsub.broker import Broker
from infra.local.pubsub.push_delivery import TokenSource
from infra.local.pubsub.rpc_publisher import PublisherMethods
from infra.local.pubsub.rpc_subscriber import SubscriberMethods
from infra.local.pubsub.streaming_pull import StreamingPull

# A Publish may be longer than gRPC's default limit of 4 MiB.
SERVER_OPTIONS = (("grpc.max_receive_message_length", 16 * 1024 * 1024), ("grpc.so_reuseport", 0))


class PubsubServer:
    """Create it inside a running event loop; ``close`` ends its deliveries."""

    def __init__(self, tokens: TokenSource, journal: Journal | None = None) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        self._broker = Broker(self._http, tokens, journal or Journal())

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add Publisher and Subscriber to ``server``; create the server with ``SERVER_OPTIONS``."""
        subscriber = SubscriberMethods(self._broker)
        streaming = StreamingPull(subscriber)
        server.add_generic_rpc_handlers(
            (PublisherMethods(self._broker).service(), subscriber.service(streaming.method()))
        )

    def backlog(self, subscription: str) -> dict[str, object] | None:
        """Return the backlog of a subscription (its full name); None when it does not exist.

        ``oldest_publish_time`` is RFC 3339 UTC, or None while the backlog is empty.
        """
        found = self._broker.subscriptions.get(subscription)
        if found is None:
            return None
        oldest = found.backlog.oldest()
        since = oldest.publish_time.ToJsonString() if oldest is not None else None
        return {"messages": len(found.backlog), "oldest_publish_time": since}

    async def close(self) -> None:
        """Stop all pushes and close the connections."""
        await self._broker.close()
        await self._http.close()
