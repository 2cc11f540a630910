"""Queries: parsing, filters, order, indexes, aggregation. No gRPC."""
