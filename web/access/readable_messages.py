"""Choose by role whether a person sees masked fields: operators do, viewers read messages through the mask.

Every route that a viewer may use reads stored messages by these functions. Live ones: ``web.live.masked_rows``.
"""

from flask import Response

from infra.accounts.user import Role
from infra.firestore.message_reader import MessageReader
from infra.messages.masking import Mask
from infra.messages.message import Message, is_document_id
from web.access.roles import signed_in_user
from web.services import services

UNMASKED_ROLE: Role = "operator"


def readable_messages() -> MessageReader:
    """Return the stored messages as the signed-in user may see them."""
    return services().all_messages if signed_in_user().may(UNMASKED_ROLE) else services().masked_messages


def readers_mask() -> Mask:
    """Return the mask through which the signed-in user reads; it is false if nothing is hidden from this user."""
    return readable_messages().mask


def readable_message(document: str) -> Message | None:
    """Return one message by an id from an address; None if the id is malformed or no such message is stored."""
    return readable_messages().get(document) if is_document_id(document) else None


def payload_file(message: Message) -> Response:
    """Return the payload, byte for byte, as a file that no browser opens by itself (T29 in docs/security.md).

    Raises StoreError, and PayloadMaskedError (403).
    """
    response = Response(readable_messages().payload(message), mimetype="application/octet-stream")
    # The file name consists of our hex digits, never of text that a publisher wrote.
    response.headers["Content-Disposition"] = f'attachment; filename="{message.id}.bin"'
    return response
