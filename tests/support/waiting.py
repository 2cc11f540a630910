"""Bounded waits that fail with a sentence."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Poll ``condition`` until it is true.

    ``what`` is the awaited event as a noun phrase, for example "the viewer's restart". The test fails with it when
    ``seconds`` have passed.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.02)
