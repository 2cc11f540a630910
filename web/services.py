"""The services of one application: ``web.create_app`` makes them once, and the modules of ``web`` read them here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app

if TYPE_CHECKING:
    from infra.accounts.session_store import SessionStore
    from infra.accounts.user_store import UserStore
    from infra.firestore.client import Database
    from infra.firestore.message_reader import MessageReader
    from infra.history.audit import Audit
    from infra.logs import Logger
    from infra.pubsub.backlog import BacklogReader
    from infra.pubsub.delivery_control import DeliveryControl
    from infra.pubsub.publisher import Publisher
    from infra.saved_filters import SavedFilters
    from infra.settings import ViewerSettings
    from web.access.fair_shares import FairShares
    from web.access.first_admin import FirstAdmin
    from web.access.iap import IapVerifier
    from web.delivery.state_reader import StateReader
    from web.facets.index_counts import IndexCounts
    from web.filters.highlights import HighlightReader
    from web.health import Reachability
    from web.http.memory_budget import MemoryBudget
    from web.live.connections import Connections
    from web.live.feed import Feed
    from web.live.masked_rows import MaskedRows
    from web.live.verdicts import SharedVerdicts
    from web.publishing.once import Once
    from web.timeline.timelines import Timelines

_EXTENSION = "subscope"


@dataclass(frozen=True)
class Services:
    """Adapters, caches and background work. None of them connects before its first use.

    ``all_messages`` is for routes of operators and for internals; a route that a viewer may use calls
    ``web.access.readable_messages``, which chooses between it and ``masked_messages``.
    """

    settings: ViewerSettings
    log: Logger
    database: Database
    all_messages: MessageReader
    masked_messages: MessageReader
    delivery_control: DeliveryControl
    publisher: Publisher
    once: Once
    backlogs: BacklogReader
    state_reader: StateReader
    users: UserStore
    sessions: SessionStore
    first_admin: FirstAdmin
    iap: IapVerifier | None  # only with AUTH_MODE=iap
    shares: FairShares
    audit: Audit
    saved_filters: SavedFilters
    highlights: HighlightReader
    feed: Feed
    connections: Connections
    masked_rows: MaskedRows
    verdicts: SharedVerdicts
    index_counts: IndexCounts
    timelines: Timelines
    reachability: Reachability
    payload_memory: MemoryBudget
    page_memory: MemoryBudget  # of pages while they are drawn


def add_services(app: Flask, made: Services) -> None:
    """Give an application its services."""
    app.extensions[_EXTENSION] = made


def services() -> Services:
    """Return the services of the current application."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """Return the services of an application, outside of its requests."""
    made: Services = app.extensions[_EXTENSION]
    return made
