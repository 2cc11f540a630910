"""Pub/Sub in memory, over its real gRPC protocol: topics, subscriptions, pull, and signed push with retries.

``PubsubServer(signer).add_to(server)`` is all a caller needs. One asyncio loop, no locks, nothing on disk.
"""

from infra.local.pubsub.server import PubsubServer

__all__ = ["PubsubServer"]
