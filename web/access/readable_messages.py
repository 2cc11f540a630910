"""Choose by role whether a person sees masked fields: operators do, viewers read messages through the mask.

Every route that a viewer may use reads stored messages by these functions. Live ones: ``web.live.masked_rows``.
"""

from collections.abc import Callable, Iterable

from flask import Response

from infra.accounts.user import Role
from infra.firestore.message_reader import MessageReader
from infra.messages.masking import Mask
from infra.messages.message import Message, is_document_id
from web.access.roles import signed_in_user
from web.http.memory_budget import COPIES, STREAMED_BYTES
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


def payload_cost(message: Message) -> int:
    """Return the memory for a payload that is sent to the signed-in user; 0 for one within its message."""
    if not message.chunks:
        return 0
    if message.chunks == 1 or readers_mask().changes_payloads:
        return message.size_bytes * COPIES
    return STREAMED_BYTES


def send_payload(message: Message, pieces: Callable[[], Iterable[bytes]], mimetype: str) -> Response:
    """Return a response of ``pieces``, which reserves memory until it is sent. Raises BusyError (503)."""
    reservation = services().payload_memory.reserve(signed_in_user().name, payload_cost(message))
    try:
        response = Response(pieces(), mimetype=mimetype)
    except BaseException:
        reservation.release()
        raise
    response.call_on_close(reservation.release)
    return response


def payload_file(message: Message) -> Response:
    """Return the payload, byte for byte, as a file that no browser opens by itself (T29 in docs/security.md).

    Raises StoreError, PayloadMaskedError (403), and BusyError (503).
    """
    messages = readable_messages()
    response = send_payload(message, lambda: messages.payload_parts(message), "application/octet-stream")
    if not messages.mask.changes_payloads:
        response.content_length = message.size_bytes
    # The file name consists of our hex digits, never of text that a publisher wrote.
    response.headers["Content-Disposition"] = f'attachment; filename="{message.id}.bin"'
    return response
