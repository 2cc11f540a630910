"""Pages of a list of resources: the token is the last name sent, so that pages stay correct while resources change."""

from collections.abc import Iterable

from infra.local.pubsub.validation import invalid

DEFAULT_PAGE = 100
MAX_PAGE = 1000


def page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """Return at most ``size`` of the names after ``token``, sorted, and the token of the next page, or ""."""
    if size < 0:
        raise invalid(f"Invalid page_size {size}: it must not be negative.")
    rest = sorted(name for name in names if name > token)
    limit = min(size or DEFAULT_PAGE, MAX_PAGE)
    return rest[:limit], rest[limit - 1] if len(rest) > limit else ""
