"""The receiver's settings as they are now: read again while it runs, in a thread that is used for nothing else.

A request waits for the read that it needs: settings of a minute, or of a second before an unknown subscription is
refused. After its answer Cloud Run takes the CPU away, so a read in the background might never end.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from infra.errors import SettingsError
from infra.settings import ReceiverSettings

MAX_AGE_SECONDS = 60.0
# Pushes of subscriptions that stay unknown cause at most one read a second.
MIN_AGE_SECONDS = 1.0
# Part of the time for one push. Secret Manager answers in a fraction of it.
WAIT_SECONDS = 2.0
_UNCHANGED = "The settings stay as they were."


class LiveSettings:
    """The newest valid settings, on one event loop. Without a settings file they never change.

    ``first`` was read at ``read_at``, which can be hours before the first request. ``wait_seconds`` bounds the wait of
    one request.
    """

    def __init__(
        self,
        first: ReceiverSettings,
        read_at: float,
        read: Callable[[], ReceiverSettings],
        clock: Callable[[], float],
        report: Callable[[str], None],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.now = first
        self._read = read
        self._clock = clock
        self._report = report
        self._wait_seconds = wait_seconds
        self._read_at = read_at
        self._wait_from = read_at + MAX_AGE_SECONDS if first.settings_file else float("inf")
        self._report_from = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        # A read that hangs keeps this thread, not one of those in which asyncio resolves the key server's name.
        self._thread = ThreadPoolExecutor(1, "settings")

    def are_old(self) -> bool:
        """Return whether a request has to await ``renew`` before it uses the settings."""
        return self._clock() >= self._wait_from

    async def renew(self) -> float:
        """Await settings that are not a minute old, and return the seconds that it took.

        After ``wait_seconds`` the old ones count for another minute, or until the read ends.
        """
        began_at = self._clock()
        await self._read_after(began_at - MAX_AGE_SECONDS)
        return self._clock() - began_at

    async def monitors(self, subscription: str) -> bool:
        """Return whether a subscription, by its full name, is monitored; read the settings again before a no."""
        if self._names(subscription):
            return True
        if self.now.settings_file:
            await self._read_after(self._clock() - MIN_AGE_SECONDS)
        return self._names(subscription)

    def _names(self, subscription: str) -> bool:
        project, _, name = subscription.rpartition("/subscriptions/")
        return project == f"projects/{self.now.google_cloud_project}" and name in self.now.subscriptions

    async def _read_after(self, moment: float) -> None:
        """Wait until a read has ended that began after ``moment``. All requests share one read at a time."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                # At most two reads: the first may have begun before the instance was idle, so its result is old.
                while self._read_at <= moment:
                    # The read goes on if this request ends.
                    await asyncio.shield(self._start())
        except TimeoutError:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        now = self._clock()
        self._wait_from = now + MAX_AGE_SECONDS
        if now >= self._report_from:
            self._report_from = self._wait_from
            self._report(f"{_UNCHANGED} Reading them takes longer than {self._wait_seconds:g} s.")

    def _start(self) -> "asyncio.Task[None]":
        if self._reading is None:
            self._reading = asyncio.create_task(self._update(self._clock()))
        return self._reading

    async def _update(self, began_at: float) -> None:
        try:
            self.now = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        except SettingsError as exc:
            self._report(f"{_UNCHANGED} {exc}")
        except Exception as exc:  # noqa: BLE001 - requests go on with the settings that they have
            self._report(f"{_UNCHANGED} Reading them failed: {type(exc).__name__}: {exc}")
        finally:
            self._reading = None
            # After a failure as well: the next read is a minute later.
            self._read_at = began_at
            self._wait_from = began_at + MAX_AGE_SECONDS
