"""Maps Google's exceptions to StoreErrors, cause kept."""

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

# The same request never succeeds later. FAILED_PRECONDITION is mostly a missing index.
_REFUSED = (
    google.FailedPrecondition,
    google.Unauthenticated,
    google.OutOfRange,
    google.MethodNotImplemented,
)


@contextmanager
def firestore_errors(task: str) -> Iterator[None]:
    """Raise a StoreError for any error of Google's client within the block. ``task``: "listing users"."""
    try:
        yield
    except grpc.RpcError as exc:
        # A call without the client's wrapper: translate as the wrapper does.
        raise store_error(google.from_grpc_error(exc), task) from exc  # type: ignore[no-untyped-call]
    except (google.GoogleAPICallError, google.RetryError, GoogleAuthError) as exc:
        raise store_error(exc, task) from exc


def store_error(exc: Exception, task: str) -> StoreError:
    """Return the StoreError for one of Google's exceptions; unless known to be final, StoreUnavailableError."""
    message = f"Firestore, {task}: {getattr(exc, 'message', None) or exc}"
    # The order matters: AlreadyExists is a Conflict, and so is Aborted, which may succeed later.
    if isinstance(exc, google.AlreadyExists):
        return DocumentExistsError(message)
    if isinstance(exc, google.NotFound):
        return DocumentNotFoundError(message)
    if isinstance(exc, google.InvalidArgument):
        return StoreInvalidError(message)
    if isinstance(exc, google.PermissionDenied):
        return StoreDeniedError(message)
    if isinstance(exc, _REFUSED):
        return StoreRefusedError(message)
    return StoreUnavailableError(message)
