"""Facets: the fields that repeat in the list, with counts; exact counts by the index, and groups by a field."""
