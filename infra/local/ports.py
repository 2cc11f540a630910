"""The error tree. An error carries the HTTP status a server answers it with.

::

    SubscopeError                          500
    ├── SettingsError                      500  the environment is wrong; the service does not start
    ├── EnvelopeError                      400  a push body that is not a push envelope; names the field
    ├── TokenError                         401  no token, or one that is not Google's, expired, malformed
    ├── ForeignTokenError                  403  Google's token, for another audience, account or subscription
    ├── KeysUnavailableError               503  the key server cannot answer and no usable key is cached
    ├── InputError                         400  what a person typed; names the field
    ├── PayloadMaskedError                 403  a payload that the reader's role must not see
    ├── BusyError                          503  too many at once; nothing is broken
    ├── StoreError                         500  Firestore refused
    │   ├── DocumentNotFoundError          404
    │   ├── DocumentExistsError            409
    │   ├── PayloadGoneError               410  a part of a payload has expired before its message
    │   ├── StoreRefusedError              500  INVALID_ARGUMENT and the like: the same request never succeeds
    │   │   └── StoreDeniedError           500  our service account may not
    │   └── StoreUnavailableError          503  anything that may succeed later, and every unknown outcome
    └── SubscriptionError                  502  the Pub/Sub admin API refused
        ├── SubscriptionMissingError       404  deleted, expired or never there
        ├── SubscriptionDeniedError        403  our service account may not
        └── SubscriptionUnavailableError   503  may succeed later

Google's exceptions are mapped at the adapters' border (``infra.firestore.error_mapping``,
``infra.pubsub.delivery_control``), cause kept.
"""

from typing import ClassVar

# Fields that a page calls by another name than the address does.
_FIELD_LABELS = {"q": "filter"}


class SubscopeError(Exception):
    """The root. ``str(error)`` says what was wrong, what was found and what to do."""

    status: ClassVar[int] = 500

    def sentence(self) -> str:
        """Return the error as a page shows it."""
        return str(self)


class SettingsError(SubscopeError):
    """An environment variable is missing or wrong."""


class EnvelopeError(SubscopeError):
    """The body of a push is not a push envelope. ``field`` is the dotted path of the first bad field."""

    status = 400

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class TokenError(SubscopeError):
    """No token, or one that is not Google's, expired or malformed. ``reason`` is one stable word for logs."""

    status = 401

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class ForeignTokenError(SubscopeError):
    """Google's token, but for another audience, account or subscription. ``reason`` is one stable word for logs."""

    status = 403

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class KeysUnavailableError(SubscopeError):
    """The key server cannot answer and no usable key is cached."""

    status = 503


class InputError(SubscopeError):
    """What a person typed cannot be used. ``field`` names where it was typed."""

    status = 400

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.predicate = problem

    def sentence(self) -> str:
        """Return the error with the field as subject: "The password has 5 characters; …"."""
        return f"The {_FIELD_LABELS.get(self.field, self.field)} {self.predicate}"


class PayloadMaskedError(SubscopeError):
    """Fields of messages are masked for this reader, and those of this payload cannot be told apart."""

    status = 403


class BusyError(SubscopeError):
    """Too many want the same thing at this moment. Nothing is broken: the sentence is for who asked."""

    status = 503


class StoreError(SubscopeError):
    """Firestore refused."""


class DocumentNotFoundError(StoreError):
    """The document is not there."""

    status = 404


class DocumentExistsError(StoreError):
    """The document is there already."""

    status = 409


class PayloadGoneError(StoreError):
    """A part of a payload is not there any more, and will not come back."""

    status = 410


class StoreRefusedError(StoreError):
    """The same request never succeeds by waiting: a missing index, a permission, something in the request."""


class StoreDeniedError(StoreRefusedError):
    """PERMISSION_DENIED: our service account may not."""


class StoreInvalidError(StoreRefusedError):
    """INVALID_ARGUMENT: something in the request itself; a batch is refused as a whole for one bad part."""


class StoreUnavailableError(StoreError):
    """Firestore may answer later, or the outcome is not known."""

    status = 503


class SubscriptionError(SubscopeError):
    """The Pub/Sub admin API refused."""

    status = 502


class SubscriptionMissingError(SubscriptionError):
    """The subscription or topic is not there: deleted, expired, or never made."""

    status = 404


class SubscriptionDeniedError(SubscriptionError):
    """Our service account may not do that."""

    status = 403


class SubscriptionUnavailableError(SubscriptionError):
    """Pub/Sub may answer later."""

    status = 503
