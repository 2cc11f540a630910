"""The JSON API, its OpenAPI description, and exports as NDJSON and CSV.

It owns the shape of a message for other programs. Pages are rendered elsewhere.
"""
