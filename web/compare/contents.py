"""Read two messages as the signed-in person may see them, and compare them within that person's memory and CPU."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import abort, request

from infra.errors import BusyError, InputError, PayloadGoneError, PayloadMaskedError, StoreUnavailableError
from infra.messages.chunks import CHUNK_BYTES
from infra.messages.compare.payloads import MAX_COMPARED_BYTES, Comparison, compare
from infra.messages.masking import HIDDEN
from infra.messages.message import Message, is_document_id
from web.access.readable_messages import readable_messages, readers_mask
from web.access.roles import signed_in_user
from web.formats import size_text
from web.http.client_socket import leaving
from web.services import services

# CPU of one comparison. Beyond it, the rest is shown as changed as a whole.
_CPU_SECONDS = 0.15
_WAIT_SECONDS = 2.0
# Parsed values, their differences and the page, for each byte of both payloads.
_MEMORY_FACTOR = 40
_NO_CPU = "Your searches and comparisons have used your share of the CPU. Try again in a moment."


@dataclass(frozen=True)
class Compared:
    """The comparison of two payloads; ``trouble`` says why there is none, ``note`` which part was compared."""

    found: Comparison | None
    note: str = ""
    trouble: str = ""


def two_messages() -> tuple[Message, Message]:
    """Read the messages ``?a=`` and ``?b=``. Raises InputError (400), and aborts with 404 if one does not exist."""
    a, b = one_argument("a"), one_argument("b")
    if a == b:
        raise InputError("b", "is the same message as a. Choose another one to compare it with.")
    found = {one.id: one for one in readable_messages().get_many([a, b])}
    return existing(found.get(a), "a"), existing(found.get(b), "b")


def one_argument(name: str) -> str:
    """Return a message's id from the address. Raises InputError (400)."""
    text = request.args.get(name, "")
    if not text:
        raise InputError(name, "is missing: it is the id of a message, the last part of its address.")
    if not is_document_id(text):
        raise InputError(name, f"has to be the id of a message, 32 hex digits; found {text[:60]!r}.")
    return text


def existing(message: Message | None, name: str) -> Message:
    """Return the message, or abort with 404."""
    if message is None:
        days = services().settings.retention_days
        abort(
            404, f"The message {name} does not exist. Messages are kept for {days} days; its id may also be incomplete."
        )
    return message


@contextmanager
def within_share(a: Message, b: Message) -> Iterator[Callable[[], bool]]:
    """Hold a place, memory and CPU for a comparison; yield whether its CPU is not used up. Raises BusyError."""
    person, has_left = signed_in_user().name, leaving(request.environ)
    with services().shares.search(person, has_left) as pace:
        if not pace.goes_on(time.monotonic() + _WAIT_SECONDS):
            raise BusyError(_NO_CPU)
        memory = _MEMORY_FACTOR * sum(min(one.size_bytes, MAX_COMPARED_BYTES) for one in (a, b))
        with services().page_memory.held(person, memory):
            yield _Limit().goes_on


class _Limit:
    """Tells whether this thread has used less than the CPU of one comparison since the first question."""

    def __init__(self) -> None:
        self._until: float | None = None

    def goes_on(self) -> bool:
        now = time.thread_time()
        self._until = self._until or now + _CPU_SECONDS
        return now < self._until


def compare_payloads(a: Message, b: Message, goes_on: Callable[[], bool]) -> Compared:
    """Compare the payloads, or their beginnings, as the person may see them."""
    if a.sha256 and a.sha256 == b.sha256 and a.size_bytes == b.size_bytes:
        return Compared(Comparison("equal"))
    is_whole = max(a.size_bytes, b.size_bytes) <= MAX_COMPARED_BYTES
    try:
        payload_a, payload_b = (_read(one, is_whole=is_whole) for one in (a, b))
    except PayloadMaskedError:
        return Compared(None, trouble="At least one payload is masked for your role, so they are not compared.")
    except PayloadGoneError:
        return Compared(None, trouble="A part of a payload has expired, so they cannot be compared.")
    except StoreUnavailableError as exc:
        services().log.warning("Payloads to compare cannot be read.", a=a.id, b=b.id, reason=str(exc))
        return Compared(None, trouble="A payload cannot be read now. Try again in a moment.")
    hidden = HIDDEN if readers_mask().changes_payloads else ""
    found = compare(payload_a, payload_b, goes_on, hidden=hidden, whole=is_whole)
    if found.way == "withheld":
        return Compared(None, trouble="At least one payload is masked for your role, so they are not compared.")
    return Compared(found, note="" if is_whole else _size_note(a, b, found))


def _read(message: Message, *, is_whole: bool) -> bytes:
    if is_whole:
        return readable_messages().payload(message)
    return readable_messages().payload(replace(message, chunks=min(message.chunks, 1)))[:CHUNK_BYTES]


def _size_note(a: Message, b: Message, found: Comparison) -> str:
    sizes = f"{size_text(a.size_bytes)} and {size_text(b.size_bytes)}"
    hashes = "Their SHA-256 differ. " if a.sha256 and b.sha256 else ""
    beginning = "are equal" if found.way == "equal" else "are compared"
    return (
        f"The payloads have {sizes}, and only those up to 1 MiB are compared whole. {hashes}"
        f"The first {size_text(CHUNK_BYTES)} of each {beginning}."
    )
