"""Facets: the fields whose values repeat in the list, with counts; exact counts by the index, and groups by a field."""
