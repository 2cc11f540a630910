"""Terraform without a registry and without a cloud: stub providers with the real providers' schemas.

``schemas`` gets the schemas from the providers' bindings on PyPI (read by ``bindings``) and keeps them in a cache.
``serve`` runs a gRPC server for each provider, which terraform is pointed at. ``provider`` answers terraform's plugin
protocol 6: unknown resources and arguments, missing ones, wrong types and undocumented values are errors, as with the
real provider. Nothing is created, except topics and subscriptions in a Pub/Sub ``emulator``.
"""
