"""The receiver's settings as they are now: read again while it runs, and no request waits for that.

Only a push of an unknown subscription waits: a deployment may have added the subscription a moment ago.
"""

import asyncio
from collections.abc import Callable

from infra.errors import SettingsError
from infra.settings import ReceiverSettings

MAX_AGE_SECONDS = 60.0
# Pushes of subscriptions that stay unknown cause at most one read a second.
MIN_AGE_SECONDS = 1.0
READ_SECONDS = 5.0


class LiveSettings:
    """The newest valid settings, on one event loop. Without a settings file they never change.

    ``first`` was read at ``read_at``, which can be hours before the first request.
    """

    def __init__(
        self,
        first: ReceiverSettings,
        read_at: float,
        read: Callable[[], ReceiverSettings],
        clock: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self.now = first
        self._read = read
        self._clock = clock
        self._report = report
        self._read_at = read_at
        self._reading: asyncio.Task[None] | None = None

    def keep_current(self) -> None:
        """Read the settings again in the background if they are a minute old."""
        if self.now.settings_file and self._clock() - self._read_at >= MAX_AGE_SECONDS:
            self._start()

    async def monitors(self, subscription: str) -> bool:
        """Return whether a subscription, by its full name, is monitored; read the settings again before a no."""
        if self._names(subscription):
            return True
        if self.now.settings_file and (self._reading or self._clock() - self._read_at >= MIN_AGE_SECONDS):
            # The read goes on if this request ends.
            await asyncio.shield(self._start())
        return self._names(subscription)

    def _names(self, subscription: str) -> bool:
        project, _, name = subscription.rpartition("/subscriptions/")
        return project == f"projects/{self.now.google_cloud_project}" and name in self.now.subscriptions

    def _start(self) -> "asyncio.Task[None]":
        if self._reading is None:
            self._read_at = self._clock()
            self._reading = asyncio.create_task(self._update())
        return self._reading

    async def _update(self) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                self.now = await asyncio.to_thread(self._read)
        except SettingsError as exc:
            self._report(f"The settings stay as they were. {exc}")
        except TimeoutError:
            self._report(f"The settings stay as they were. Reading them took longer than {READ_SECONDS:.0f} s.")
        finally:
            self._reading = None
