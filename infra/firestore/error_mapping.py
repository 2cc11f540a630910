"""Where Google's exceptions become ours, cause kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from infra.errors import (
    DocumentExistsError,
    DocumentNotFoundError,
    StoreDeniedError,
    StoreError,
    StoreInvalidError,
    StoreRefusedError,
    StoreUnavailableError,
)

# The same request never succeeds by waiting. FAILED_PRECONDITION is mostly a missing index.
_REFUSED = (
    google.FailedPrecondition,
    google.Unauthenticated,
    google.OutOfRange,
    google.MethodNotImplemented,
)


@contextmanager
def firestore_errors(doing: str) -> Iterator[None]:
    """Raise a StoreError, saying what was being done, for whatever Google's client raises inside."""
    try:
        yield
    except grpc.RpcError as exc:
        # A call without the client's wrapper: the same exceptions as with it.
        raise store_error(google.from_grpc_error(exc), doing) from exc  # type: ignore[no-untyped-call]
    except (google.GoogleAPICallError, google.RetryError, GoogleAuthError) as exc:
        raise store_error(exc, doing) from exc


def store_error(exc: Exception, doing: str) -> StoreError:
    """The StoreError for one of Google's exceptions; whatever is not known to be final may succeed later."""
    said = f"Firestore, {doing}: {getattr(exc, 'message', None) or exc}"
    # AlreadyExists is a Conflict, and so is Aborted, which may succeed later: the order matters.
    if isinstance(exc, google.AlreadyExists):
        return DocumentExistsError(said)
    if isinstance(exc, google.NotFound):
        return DocumentNotFoundError(said)
    if isinstance(exc, google.InvalidArgument):
        return StoreInvalidError(said)
    if isinstance(exc, google.PermissionDenied):
        return StoreDeniedError(said)
    if isinstance(exc, _REFUSED):
        return StoreRefusedError(said)
    return StoreUnavailableError(said)
