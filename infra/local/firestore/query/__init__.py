"""Queries on paper: parsing, filters, order and indexes. They know documents, but no store and no gRPC."""
