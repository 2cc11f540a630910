"""The error tree. An error carries the HTTP status of its answer, a stable reason and the sentence for the caller.

::

    SubscopeError                          500
    ├── SettingsError                      500  the environment is wrong; the service does not start
    ├── EnvelopeError                      400  the body of a push is not a push envelope; names the field
    ├── TokenError                         401  no token, or one that is not Google's, expired or malformed
    ├── ForeignTokenError                  403  Google's token, for another audience, account or subscription
    ├── KeysUnavailableError               503  the key server does not answer and no usable key is cached
    ├── PushFormError                      405  (411, 413) method or declared length; functions.refusals
    ├── ClientLeftError                    400  the client disconnected within its body; functions.refusals
    ├── OutOfTimeError                     503  the time for one push is over; functions.refusals
    ├── NotStoredError                     503  any StoreError, as the receiver answers it; functions.refusals
    ├── UnexpectedPushError                503  an unknown error in the receiver; functions.refusals
    ├── InputError                         400  a person's input; names the field
    │   ├── QueryError                     400  a filter; names the term; infra.query.syntax.tokenizer
    │   └── LastAdminError                 400  no admin would be left; infra.accounts.user_store
    ├── SignInError                        401  the name or the password is wrong; infra.accounts.sign_in
    ├── LockedError                        429  too many wrong passwords; infra.accounts.lock_policy
    ├── PayloadMaskedError                 403  a payload that the reader's role must not see
    ├── BusyError                          503  too many requests at once; nothing is broken
    ├── StoreError                         500  Firestore refused
    │   ├── DocumentNotFoundError          404
    │   ├── DocumentExistsError            409
    │   ├── PayloadGoneError               410  a part of a payload has expired before its message
    │   ├── StoreRefusedError              500  the same request never succeeds, for example a missing index
    │   │   ├── StoreDeniedError           500  PERMISSION_DENIED: our service account lacks it
    │   │   └── StoreInvalidError          500  INVALID_ARGUMENT: something in the request itself
    │   └── StoreUnavailableError          503  may succeed later, or the outcome is unknown
    └── SubscriptionError                  502  the Pub/Sub admin API refused
        ├── SubscriptionMissingError       404  deleted, expired or never created
        ├── SubscriptionDeniedError        403  our service account lacks the permission
        ├── SubscriptionEndedError         409  no message can arrive: topic deleted, detached, or exported
        └── SubscriptionUnavailableError   503  may succeed later, or the outcome is unknown

Google's exceptions are mapped at the adapters' border (``infra.firestore.error_mapping``, ``infra.pubsub.client``),
cause kept.
"""

# Fields that a page calls by another name than the address does.
_FIELD_LABELS = {"q": "filter"}


class SubscopeError(Exception):
    """The root. ``str(error)`` says what was wrong, what was found and what to do."""

    status: int = 500
    # One stable word for logs, metrics and rejections.
    reason: str = "error"

    def sentence(self) -> str:
        """Return the error as its caller is shown it."""
        return str(self)


class SettingsError(SubscopeError):
    """An environment variable is missing or wrong."""


class EnvelopeError(SubscopeError):
    """The body of a push is not a push envelope. ``field`` is the dotted path of the first bad field."""

    status = 400
    reason = "envelope"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class TokenError(SubscopeError):
    """No token, or one that is not Google's, expired or malformed."""

    status = 401

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class ForeignTokenError(SubscopeError):
    """Google's token, for another audience, account or subscription than ours."""

    status = 403

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


class KeysUnavailableError(SubscopeError):
    """The key server does not answer and no usable key is cached."""

    status = 503
    reason = "keys"


class InputError(SubscopeError):
    """A person's input cannot be used. ``field`` is the name of the input field."""

    status = 400
    reason = "input"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.predicate = problem

    def sentence(self) -> str:
        """Return the error with the field as subject: "The password has 5 characters; …"."""
        return f"The {_FIELD_LABELS.get(self.field, self.field)} {self.predicate}"


class PayloadMaskedError(SubscopeError):
    """The reader's role sees masked fields only, and this payload cannot be shown with its fields masked."""

    status = 403


class BusyError(SubscopeError):
    """Too many requests for the same thing at once. Nothing is broken: the sentence is for the caller."""

    status = 503


class StoreError(SubscopeError):
    """Firestore refused."""

    reason = "store"


class DocumentNotFoundError(StoreError):
    """The document does not exist."""

    status = 404


class DocumentExistsError(StoreError):
    """The document exists already."""

    status = 409


class PayloadGoneError(StoreError):
    """A part of a payload is deleted for good."""

    status = 410


class StoreRefusedError(StoreError):
    """The same request never succeeds later: a missing index, a permission, something in the request."""


class StoreDeniedError(StoreRefusedError):
    """PERMISSION_DENIED: our service account lacks the permission."""


class StoreInvalidError(StoreRefusedError):
    """INVALID_ARGUMENT: something in the request itself. One bad part makes Firestore refuse a whole batch."""


class StoreUnavailableError(StoreError):
    """The request may succeed later, or its outcome is unknown."""

    status = 503


class SubscriptionError(SubscopeError):
    """The Pub/Sub admin API refused."""

    status = 502


class SubscriptionMissingError(SubscriptionError):
    """The subscription or topic does not exist: deleted, expired or never created."""

    status = 404


class SubscriptionDeniedError(SubscriptionError):
    """Our service account lacks the permission."""

    status = 403


class SubscriptionEndedError(SubscriptionError):
    """No message can arrive from the subscription, so it cannot be started: topic deleted, detached, or exported."""

    status = 409


class SubscriptionUnavailableError(SubscriptionError):
    """The request may succeed later, or its outcome is unknown."""

    status = 503
