"""Use the pages at random, as each role, and say what went wrong: ``make random-steps``.

Exit status 1 means that a step caused an error in the console, a broken script, an answer of 500 or more, or a row that
moved under the pointer. The same seed repeats the steps.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from infra.accounts.user import Role
from tests.support.browser.person import FLAGS
from tests.support.browser.random_walk import RandomWalk
from tests.support.local_cloud import Cloud, start_cloud

_CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


def main() -> int:
    """Walk as each role until the steps or the time are over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", choices=ROLES, action="append", help="one role; all if not given")
    parser.add_argument("--steps", type=int, default=2000, help="for each role")
    parser.add_argument("--seconds", type=float, default=1200.0, help="the longest time for each role")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    executable = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if not executable:
        print("Chromium is not installed (Debian: apt-get install chromium chromium-headless-shell).", file=sys.stderr)
        return 1
    troubles = 0
    with tempfile.TemporaryDirectory() as directory, start_cloud(Path(directory)) as cloud:
        for number in range(60):
            cloud.publish(f'{{"order": {number}}}'.encode(), status="SUCCESS" if number % 3 else "FAILURE")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            for role in options.role or ROLES:
                troubles += walked(browser, cloud, role, options)
            browser.close()
    return 1 if troubles else 0


def walked(browser: Browser, cloud: Cloud, role: Role, options: argparse.Namespace) -> int:
    """Walk as one role, print the troubles as they come, and return their number."""
    context = browser.new_context()
    walk = RandomWalk(context, cloud, role, options.seed)
    known = 0
    end = time.monotonic() + options.seconds
    while walk.count < options.steps and time.monotonic() < end:
        walk.step()
        if walk.troubles[known:]:
            print(*walk.troubles[known:], sep="\n\n", flush=True)
            known = len(walk.troubles)
    context.close()
    print(f"{role}: {walk.count} steps with seed {options.seed}, {len(walk.troubles)} troubles", flush=True)
    return known


if __name__ == "__main__":
    sys.exit(main())
