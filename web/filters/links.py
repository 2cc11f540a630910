"""Write addresses of filtered lists, also from publishers' text. Pure."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from infra.messages.cursor import Cursor
from infra.query import MAX_CHARACTERS, quoted
from infra.query.list_arguments import ListArguments
from web.filters.columns import columns_text


def filter_link(key: str, value: str) -> str:
    """Return the address of the messages with the attribute ``key=value``; empty when it would be too long."""
    return _link(f"{quoted(key)}={quoted(value)}")


def exclude_link(key: str, value: str) -> str:
    """Return the address of all other messages; empty when it would be too long."""
    return _link(f"-{quoted(key)}={quoted(value)}")


def _link(q: str) -> str:
    return "/messages?" + urlencode({"q": q}) if len(q) <= MAX_CHARACTERS else ""


@dataclass(frozen=True)
class ListLinks:
    """Addresses of the list that keep its filter, subscription and columns.

    With ``has_default`` the bare address opens the default filter, so the unfiltered list is ``?q=``.
    """

    arguments: ListArguments
    has_default: bool = False

    def to(self, *, q: str | None = None, subscription: str | None = None, before: Cursor | None = None) -> str:
        """Return the list with another filter or subscription, or before a cursor; None keeps, empty removes."""
        changed = replace(
            self.arguments,
            query=self.arguments.query if q is None else q,
            subscription=self.arguments.subscription if subscription is None else subscription,
        )
        return self.of(changed, before)

    def of(self, arguments: ListArguments, before: Cursor | None = None) -> str:
        """Return the address of list arguments."""
        parameters = {
            "q": arguments.query,
            "before": str(before or ""),
            "subscription": arguments.subscription,
            "columns": columns_text(arguments.columns),
        }
        given = {name: text for name, text in parameters.items() if text}
        if not given and self.has_default:
            given = {"q": ""}
        return f"/messages?{urlencode(given)}" if given else "/messages"
