"""The reasons to refuse a push that only the receiver knows; the others are in ``infra.errors``."""

import traceback

from infra.errors import SubscopeError

_NOT_STORED = "The message could not be stored now; send it again."


class PushFormError(SubscopeError):
    """The method or the declared length is wrong: 405, 411 or 413, decided before the body is read."""

    reason = "form"

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


class ClientLeftError(SubscopeError):
    """The client disconnected before its body was complete."""

    status = 400
    reason = "disconnected"

    def __init__(self) -> None:
        super().__init__("The client left.")


class OutOfTimeError(SubscopeError):
    """The message was not stored within the time for one push."""

    status = 503
    reason = "budget"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The message could not be stored within {seconds:g} s; send it again.")


class NotStoredError(SubscopeError):
    """Firestore refused or did not answer. Its own words stay in the log.

    Always 503, for any StoreError: the message is not known to be stored, so Pub/Sub must keep it and try again.
    """

    status = 503
    reason = "store"

    def sentence(self) -> str:
        """Return the same sentence for every cause."""
        return _NOT_STORED


class UnexpectedPushError(SubscopeError):
    """An error that the receiver does not know. Only its type and place are kept: its text may quote the payload."""

    status = 503
    reason = "bug"

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__} at {_place(cause)}")

    def sentence(self) -> str:
        """Return the sentence of NotStoredError: the cause is for the log."""
        return _NOT_STORED


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "an unknown place"
