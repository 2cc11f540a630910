"""Real Chromium on the shared local cloud. Without Chromium or Playwright these tests are skipped with a reason."""

import importlib.util
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser.beside import LABEL, viewer_beside
from tests.support.browser.person import FLAGS, Person, Visit
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

WHOLE = ("chromium", "chromium-browser", "google-chrome")


# For one module only: Playwright keeps an event loop in this thread, and later tests need their own.
@pytest.fixture(scope="package")
def playwright() -> Iterator["Playwright"]:
    """Playwright, which drives the browsers."""
    if not importlib.util.find_spec("playwright"):
        pytest.skip("Playwright is not installed here (pip install playwright)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: "Playwright") -> Iterator["Browser"]:
    """The installed Chromium; the headless one where it exists, because its contexts open faster."""
    yield from _launched(playwright, ("chromium-headless-shell", *WHOLE))


@pytest.fixture(scope="package")
def whole_chromium(playwright: "Playwright") -> Iterator["Browser"]:
    """The Chromium with windows, the only one that allows notifications."""
    yield from _launched(playwright, WHOLE)


def _launched(playwright: "Playwright", names: tuple[str, ...]) -> Iterator["Browser"]:
    executable = next(filter(None, map(shutil.which, names)), None)
    if not executable:
        pytest.skip("Chromium is not installed here (Debian: apt-get install chromium chromium-headless-shell)")
    browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def visit(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[Visit]:
    """Open pages as a signed-in administrator.

    ``visit()`` opens the list of the shared cloud, ``visit(cloud=…)`` of another one, ``visit(at="/users")`` another
    page. Other options go to the browser's context: ``visit(java_script_enabled=False)``, ``visit(viewport=…)``.

    At the end no page may have shown a dialog, broken a script or violated the Content-Security-Policy.
    """
    notifies = request.node.get_closest_marker("notifies")
    chromium: Browser = request.getfixturevalue("whole_chromium" if notifies else "chromium")
    people: list[Person] = []

    def begin(cloud: Cloud = cloud, at: str = "/messages", **options: object) -> Person:
        person = Person(chromium.new_context(**options), cloud)  # type: ignore[arg-type]
        people.append(person)
        person.sign_in(at)
        return person

    yield begin
    for person in people:
        person.context.close()
    assert not [trouble for person in people for trouble in person.troubles]


@pytest.fixture(scope="module")
def module_person(chromium: "Browser", cloud: Cloud) -> Iterator[Person]:
    """A signed-in administrator for all tests of a module: use it through ``person``."""
    person = Person(chromium.new_context(), cloud)
    person.sign_in()
    yield person
    person.context.close()


@pytest.fixture
def person(module_person: Person) -> Iterator[Person]:
    """A signed-in administrator on any page, for tests that change neither the browser nor the size of its window.

    A new context costs more than a second of CPU. The same is checked as after ``visit``.
    """
    module_person.troubles.clear()
    # Rows under a pointer hold still.
    module_person.page.mouse.move(0, 0)
    yield module_person
    assert not module_person.troubles


@pytest.fixture(scope="module")
def both(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A viewer of the cloud that also monitors the dead letters."""
    names = f"{cloud['subscription']},{cloud['dead_letter_subscription']}"
    directory = tmp_path_factory.mktemp("both")
    with viewer_beside(cloud, directory, SUBSCRIPTIONS=names, ENVIRONMENT_LABEL=LABEL) as place:
        yield place
