"""A signed-in person at a browser: actions, visible results, and errors that no page may cause."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.messages.message import document_id
from tests.support.local_cloud import Cloud
from tests.support.viewer.visitor import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Chromium reports every failed request; some tests cause them on purpose.
_CAUSED = "Failed to load resource"


class Person:
    """One browser context with one page, on the viewer of ``cloud``."""

    def __init__(self, context: "BrowserContext", cloud: Cloud) -> None:
        self.context, self.cloud = context, cloud
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.troubles: list[str] = []
        self.page.on("dialog", self._dialog)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("console", self._console)

    def sign_in(self, path: str = "/messages") -> None:
        """Open a page with a new session; other tests cover the form, and its password hash costs 0.3 s of CPU."""
        self.context.add_cookies([{"name": COOKIE, "value": self.cloud.session(), "url": self.cloud["viewer"]}])
        self.open(path)

    def fill_in_sign_in(self) -> None:
        """Fill in and send the open sign-in form."""
        self.page.fill("input[name=username]", self.cloud["admin_user"])
        self.page.fill("input[name=password]", self.cloud["admin_password"])
        self.page.click("main button[type=submit]")

    def open(self, path: str) -> None:
        self.page.goto(self.cloud["viewer"] + path)

    def wait_until_live(self) -> None:
        self.page.wait_for_selector('#connection[data-state="live"]')

    def rows(self) -> list[str]:
        """Return the ids of the list's rows from top to bottom."""
        found: list[str] = self.page.eval_on_selector_all("tr.message", "rows => rows.map(row => row.dataset.id)")
        return found

    def row(self, message_id: str) -> "Locator":
        """Return the row of a published message."""
        return self.page.locator(f'tr.message[data-id="{document_id(self.cloud["subscription"], message_id)}"]')

    def see(self, message_id: str, seconds: float = 10) -> None:
        """Wait until a published message is in the list."""
        self.row(message_id).wait_for(state="attached", timeout=seconds * 1000)

    def see_state(self, word: str, seconds: float = 10) -> None:
        """Wait until the strip shows this state of the monitored subscription."""
        section = f'.delivery[data-subscription="{self.cloud["subscription"]}"]'
        self.page.wait_for_selector(f'{section} .state-word:text-is("{word}")', timeout=seconds * 1000)

    def see_notice(self, text: str) -> None:
        self.page.wait_for_selector(f'.notice:has-text("{text}")')

    def switch(self, action: str) -> None:
        """Press Start or Stop, and confirm."""
        self.page.click(f"button.{action}")
        if action == "stop":
            self.page.click('dialog button:text-is("Stop for everyone")')

    def open_message(self, message_id: str) -> None:
        """Open a message's own page."""
        self.open(f"/messages/{document_id(self.cloud['subscription'], message_id)}")

    def download(self, message_id: str) -> bytes:
        """Return the payload as the browser saves it."""
        path = f"/messages/{document_id(self.cloud['subscription'], message_id)}/data"
        return self.context.request.get(self.cloud["viewer"] + path).body()

    def skeleton(self, selector: str) -> str:
        """Return the elements and attribute names below an element, without the spans that colour a payload."""
        script = """root => {
            const walk = (element) => [element.tagName, ...element.getAttributeNames(), "(",
                ...[...element.children].filter((child) => !child.closest("pre span")).map(walk), ")"].join(" ");
            return walk(root);
        }"""
        found: str = self.page.eval_on_selector(selector, script)
        return found

    def _dialog(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_CAUSED):
            self.troubles.append(f"console: {message.text}")


Visit = Callable[..., Person]
