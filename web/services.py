"""What the viewer's modules work with, made once by ``web.create_app`` and reached through the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

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
    from web.access.first_admin import FirstAdmin
    from web.live.feed import Feed


@dataclass(frozen=True)
class Services:
    """Adapters and the feed; nothing here connects before it is first used."""

    settings: ViewerSettings
    log: Logger
    database: Database
    all_messages: MessageReader
    masked_messages: MessageReader
    delivery_control: DeliveryControl
    users: UserStore
    first_admin: FirstAdmin
    sessions: SessionStore
    audit: Audit
    saved_filters: SavedFilters
    publisher: Publisher
    backlogs: BacklogReader
    feed: Feed


def services() -> Services:
    """The services of the current application."""
    found: Services = current_app.extensions["subscope"]
    return found
