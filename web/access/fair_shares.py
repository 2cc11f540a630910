"""The share of the process that one person can use at most: CPU and places for searches, exports, replays and streams.

CPU of a person is at most a quarter: an eighth for pages that the person waits for, and an eighth for the rest, so that
a costly stream or export never keeps its own person from opening a page.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.web_server import threads
from web.access.cpu_share import CpuRate, CpuShares, Pace
from web.access.places import SHARES, Places

# The saved seconds are enough for one search of two seconds, and for a replay or the first pages of an export.
PAGES = CpuRate(per_second=1 / 8, saved_seconds=2.0, overdrawn_seconds=4.0)
BACKGROUND = CpuRate(per_second=1 / 8, saved_seconds=1.0, overdrawn_seconds=4.0)


@dataclass(frozen=True)
class FairShares:
    """The shares of one process."""

    pages: CpuShares = field(default_factory=lambda: CpuShares(PAGES))
    background: CpuShares = field(default_factory=lambda: CpuShares(BACKGROUND))
    searches: Places = field(
        default_factory=lambda: Places(
            "searches", of_all=SHARES * threads.SEARCHES, wait_seconds=2.0, max_waiting=threads.WAITING_SEARCHES
        )
    )
    exports: Places = field(
        default_factory=lambda: Places("exports", of_all=SHARES * threads.EXPORTS, wait_seconds=0.0)
    )

    @contextmanager
    def search(self, person: str, has_left: Callable[[], bool]) -> Iterator[Pace]:
        """Hold a place for a search and pace it. Raises BusyError."""
        with self.searches.held(person):
            pace = Pace(self.pages.of(person), has_left)
            try:
                yield pace
            finally:
                pace.account()
