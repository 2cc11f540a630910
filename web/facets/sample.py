"""A sample of a filter: its newest matches for the signed-in user, within the bounds of one search."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import request

from infra.firestore.search import SearchBounds
from infra.messages.message import Message
from web.access.readable_messages import readable_messages
from web.access.roles import signed_in_user
from web.filters.request_filter import RequestFilter, pages
from web.http.client_socket import leaving
from web.services import services


@dataclass
class Sample:
    """What the search has found so far. ``searched_to`` is None when it has seen all that is kept."""

    looked_at: int = 0
    oldest_match: datetime | None = None
    searched_to: datetime | None = None

    def messages(self, wanted: RequestFilter, bounds: SearchBounds) -> Iterator[Message]:
        """Yield the matches, newest first; one page of them is in memory at a time. Raises StoreError, BusyError."""
        with services().shares.search(signed_in_user().name, leaving(request.environ)) as pace:
            for page in pages(readable_messages(), wanted, bounds, pace):
                self.looked_at += page.looked_at
                self.searched_to = page.older.at if page.older else None
                for message in page.messages:
                    self.oldest_match = message.received_at
                    yield message
