"""The whole cloud on one machine, for development and tests: Pub/Sub, Firestore and Google's signing keys on loopback.

Of the product it imports only ``infra.settings`` and ``infra.logs``. No other package imports it, and it is never
deployed.
"""
