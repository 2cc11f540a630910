"""Pub/Sub in memory, over its real gRPC protocol: topics, subscriptions, pull, and signed push with retries.

A caller needs only ``PubsubServer(signer).add_to(server)``. It runs in one asyncio loop, without locks and files.
"""

from infra.local.pubsub.server import PubsubServer

__all__ = ["PubsubServer"]
