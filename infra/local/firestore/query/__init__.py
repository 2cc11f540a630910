"""Queries as values: parsing, filters, order and indexes of documents; without a store and without gRPC."""
