"""The whole cloud on one machine, for development and tests: Pub/Sub, Firestore and Google's signing keys on loopback.

Imports nothing of the product but ``infra.settings`` and ``infra.logs``; nothing imports it; it is never deployed.
"""
