"""Addresses of filtered lists, from what a publisher wrote. Pure."""

from urllib.parse import urlencode

from infra.query import quoted


def filter_link(key: str, value: str) -> str:
    """The list of messages whose attribute ``key`` is ``value``, whatever characters they have."""
    return "/messages?" + urlencode({"q": f"{quoted(key)}={quoted(value)}"})


def exclude_link(key: str, value: str) -> str:
    """The list of all other messages."""
    return "/messages?" + urlencode({"q": f"-{quoted(key)}={quoted(value)}"})
