"""The recent commits of one database, for resumed listeners, reads in the past, and transactions."""

from collections import deque

from infra.local.firestore.documents.stored import Commit, Stored

# The log is bounded by the number of changes, and by the bytes of old versions that only the log still holds.
_MAX_CHANGES = 50_000
_MAX_SUPERSEDED_BYTES = 64 * 1024 * 1024


class CommitLog:
    """Commits in order of time; the oldest are dropped first."""

    def __init__(self, started_at: int) -> None:
        self._commits: deque[Commit] = deque()
        self._changes = 0
        self._superseded_bytes = 0
        # The log is complete after this time (microseconds). Commits of an earlier process are unknown.
        self._complete_since = started_at

    def append(self, commit: Commit) -> None:
        self._commits.append(commit)
        self._count(commit, 1)
        while self._changes > _MAX_CHANGES or self._superseded_bytes > _MAX_SUPERSEDED_BYTES:
            dropped = self._commits.popleft()
            self._count(dropped, -1)
            self._complete_since = dropped.time

    def _count(self, commit: Commit, sign: int) -> None:
        self._changes += sign * len(commit.changes)
        self._superseded_bytes += sign * sum(change.old.size_bytes for change in commit.changes if change.old)

    def since(self, time: int) -> list[Commit] | None:
        """Return the commits after ``time``, newest first; None when some were dropped."""
        if time < self._complete_since:
            return None
        later: list[Commit] = []
        for commit in reversed(self._commits):
            if commit.time <= time:
                break
            later.append(commit)
        return later

    def before(self, time: int) -> dict[str, Stored | None] | None:
        """Return the versions at ``time`` of all documents that changed since, by path; None when they were dropped."""
        later = self.since(time)
        if later is None:
            return None
        return {change.path: change.old for commit in later for change in commit.changes}
