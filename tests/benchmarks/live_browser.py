"""How long a page in Chromium takes to answer keys and clicks during a burst."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.timings import Found
from tests.support.browser.person import FLAGS, Person
from tests.support.browser.writing import burst
from tests.support.local_cloud import start_cloud

BATCHES_PER_SECOND = 20
# The browser's measurement of the time from an input to the next frame; it reports no input faster than 16 ms.
MEASURE = """() => {
    window.answers = [];
    new PerformanceObserver((list) => answers.push(...list.getEntries().map((entry) => entry.duration)))
        .observe({ type: "event", durationThreshold: 16 });
}"""
INPUTS: dict[str, Callable[[Person], object]] = {
    "key": lambda person: person.page.keyboard.press("."),
    "click": lambda person: person.page.click("#pause"),
}


def measure_inputs(directory: Path, per_second: int, seconds: float) -> dict[str, Found]:
    """Send an input every 100 ms while messages are stored; return the times of each kind of input.

    Raises RuntimeError without Playwright or Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as exc:
        raise RuntimeError("Playwright is not installed here (pip install playwright)") from exc
    executable = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not executable:
        raise RuntimeError("Chromium is not installed here (Debian: apt-get install chromium)")
    with start_cloud(directory) as cloud, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        found = {}
        for name, send in INPUTS.items():
            person = Person(browser.new_context(), cloud)
            person.sign_in()
            person.wait_until_live()
            person.page.evaluate(MEASURE)
            messages = round(per_second * seconds)
            with burst(cloud, messages, per_second=per_second, batch=per_second // BATCHES_PER_SECOND) as ids:
                while len(ids) < messages:
                    send(person)
                    person.page.wait_for_timeout(100)
            answers: list[float] = person.page.evaluate("answers")
            found[name] = Found([milliseconds / 1e3 for milliseconds in answers], f"{len(answers)} answers")
            person.context.close()
        browser.close()
        return found
