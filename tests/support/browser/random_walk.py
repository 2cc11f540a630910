"""A person who uses the pages at random: clicks, keys, texts, addresses, and messages that arrive in between."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from infra.accounts.user import Role
from tests.support.browser.person import Person
from tests.support.local_cloud import Cloud
from tests.support.viewer.visitor import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Response

SIZES = ({"width": 1440, "height": 900}, {"width": 390, "height": 800}, {"width": 820, "height": 600})
PATHS = {
    "viewer": (
        "/messages",
        "/messages?q=status%3DFAILURE",
        "/filters",
        "/help",
        "/password",
        "/messages/none",
        "/ready",
    ),
    "operator": ("/publish", "/rejections", "/republish?q=status%3DFAILURE"),
    "admin": ("/users", "/sessions", "/audit"),
}
KEYS = (
    "j",
    "k",
    "Enter",
    "Escape",
    "/",
    "?",
    "p",
    "c",
    "n",
    "g",
    "Space",
    "Tab",
    "Shift+Tab",
    "ArrowDown",
    "End",
    "Home",
)
TEXTS = (
    "status=FAILURE",
    "data.order>10 OR -kind:json",
    'a "quoted text" <b>&amp;',
    '"open',
    "((",
    "after:2026-01-01 before:now-1h",
    "-",
    "\N{SNOWMAN}\N{RIGHT-TO-LEFT OVERRIDE}x",
    "x" * 300,
    "0",
    "",
)
# Everything that a pointer can use. Sign out would end the walk at once; downloads only fill the disk.
_TARGETS = """() => {
    const dialog = document.querySelector("dialog[open]") ?? document;
    const all = "a[href], button, summary, input, select, textarea, tr.message td, [tabindex='0']";
    return [...dialog.querySelectorAll(all)].filter((one) => {
        if (one.closest("[action='/logout'], [download], [href*='/export.'], [href$='/data']")) return false;
        return !one.disabled && one.type !== "hidden" && one.checkVisibility({ visibilityProperty: true });
    });
}"""
_PICK = f"""place => {{
    const found = ({_TARGETS})();
    if (!found.length) return null;
    const one = found[Math.floor(place * found.length)];
    one.scrollIntoView({{ block: "nearest" }});
    const {{ left, top, width, height }} = one.getBoundingClientRect();
    const name = one.id || one.name || one.textContent.trim().replace(/\\s+/g, " ").slice(0, 40);
    return {{ x: left + Math.min(width / 2, 40), y: top + height / 2, tag: one.localName, type: one.type ?? "",
        text: `${{one.localName}} "${{name}}" ${{one.getAttribute("href") ?? one.form?.action ?? ""}}` }};
}}"""
# The row under the pointer. Rows wait for 1.2 s after the pointer moved, see web/static/js/list/rows.js.
_ROW_AT = """([x, y]) => {
    const row = document.elementFromPoint(x, y)?.closest("tr.message");
    return row && [row.dataset.id, Math.round(row.getBoundingClientRect().top)];
}"""
# The elements that moved last, and by how much.
_WATCH_SHIFTS = """
    window.shifts = [];
    const name = (node) => node && `${node.nodeName}.${node.className ?? ""}#${node.id ?? ""}`;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            for (const { node, previousRect, currentRect } of entry.sources) {
                shifts.push(`${name(node)} ${previousRect.top} -> ${currentRect.top}`);
            }
        }
        shifts.splice(0, shifts.length - 8);
    }).observe({ type: "layout-shift", buffered: true });
"""
_ROW_MIDDLE = """place => {
    const rows = [...document.querySelectorAll("tr.message")].map((row) => row.getBoundingClientRect())
        .filter((box) => box.height && box.top > 150 && box.bottom < innerHeight);
    if (!rows.length || document.querySelector("dialog[open]")) return null;
    const box = rows[Math.floor(place * rows.length)];
    return [box.left + 30, box.top + box.height / 2];
}"""
_REST_MS = 350
_TYPED = ("text", "search", "number", "textarea", "email")


class RandomWalk:
    """The steps of one person in one tab; the same ``seed`` on the same data gives the same steps.

    ``troubles`` says what no step may cause, with the steps before it: an error in the console, a script that breaks,
    an answer of 500 or more, a row that moves under the pointer.
    """

    def __init__(self, context: "BrowserContext", cloud: Cloud, role: Role, seed: int) -> None:
        self.person = Person(context, cloud)
        self.cloud, self.role = cloud, role
        self.dice = random.Random(seed)
        self.count = 0
        self.log: list[str] = []
        self.troubles: list[str] = []
        roles = ("viewer", "operator", "admin")
        self.paths = [path for one in roles[: roles.index(role) + 1] for path in PATHS[one]]
        self.steps: list[tuple[int, Callable[[], str | None]]] = [
            (50, self.click),
            (10, self.type),
            (12, self.press),
            (6, self.scroll),
            (5, self.rest_on_a_row),
            (6, self.open),
            (4, self.go_back),
            (1, self.go_forward),
            (2, self.reload),
            (4, self.receive),
            (1, self.resize),
            (1, self.lose_the_network),
        ]
        context.add_init_script(_WATCH_SHIFTS)
        context.on("response", self._on_response)
        context.on("page", self._on_page)
        self.page.set_default_timeout(8_000)
        self.sign_in()

    @property
    def page(self) -> "Page":
        return self.person.page

    def sign_in(self) -> None:
        """Begin a new session: the walk may have ended the last one."""
        cookie: Any = {"name": COOKIE, "value": self.cloud.session(self.role), "url": self.cloud["viewer"]}
        self.person.context.add_cookies([cookie])
        self.person.open("/messages")

    def step(self) -> None:
        """Take one step and note what it caused."""
        from playwright.sync_api import Error

        weights = [weight for weight, _ in self.steps]
        (_, act) = self.dice.choices(self.steps, weights)[0]
        self.count += 1
        before = self.page.url
        try:
            done = act() or "nothing to do"
        except Error as error:
            done = f"was interrupted: {error.message.splitlines()[0]}"
        self.log.append(f"{self.count} {before.removeprefix(self.cloud['viewer'])}: {act.__name__} {done}")
        if "/login" in self.page.url or not self.page.url.startswith(self.cloud["viewer"]):
            self.sign_in()
        for trouble in self.person.troubles:
            self._note(trouble)
        self.person.troubles.clear()

    def click(self) -> str | None:
        target = self.page.evaluate(_PICK, self.dice.random())
        if not target:
            return None
        self.page.mouse.click(target["x"], target["y"])
        return str(target["text"])

    def type(self) -> str | None:
        target = self.page.evaluate(_PICK, self.dice.random())
        for _ in range(6):
            if not target or target["type"] in _TYPED:
                break
            target = self.page.evaluate(_PICK, self.dice.random())
        if not target or target["type"] not in _TYPED:
            return None
        text = self.dice.choice(TEXTS)
        self.page.mouse.click(target["x"], target["y"])
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        if self.dice.random() < 0.5:
            self.page.keyboard.press("Enter")
        return f"{text[:40]!r} into {target['text']}"

    def press(self) -> str:
        key = self.dice.choice(KEYS)
        self.page.keyboard.press(key)
        return key

    def scroll(self) -> str:
        pixels = self.dice.choice((-3000, -400, 400, 3000))
        self.page.mouse.wheel(0, pixels)
        return f"{pixels} px"

    def rest_on_a_row(self) -> str | None:
        """Move the pointer to a row, let a message arrive, and see that the row is still there."""
        place = self.page.evaluate(_ROW_MIDDLE, self.dice.random())
        if not place:
            return None
        self.page.mouse.move(*place)
        before = self._row_that_rests_at(place)
        self.page.mouse.move(place[0] + 1, place[1])
        self.receive()
        self.page.wait_for_timeout(_REST_MS)
        after = self.page.evaluate(_ROW_AT, place)
        if before and before != after:
            shifts = self.page.evaluate("shifts")
            self._note(f"the row under the pointer moved: {before} became {after}, {self.page.viewport_size}, {shifts}")
        return f"at {place}"

    def _row_that_rests_at(self, place: list[float]) -> Any:
        """Wait for the effects of the last steps, such as a message that opens beside the list; return the row."""
        for _ in range(5):
            before = self.page.evaluate(_ROW_AT, place)
            self.page.wait_for_timeout(_REST_MS / 2)
            if before and before == self.page.evaluate(_ROW_AT, place):
                return before
        return None

    def open(self) -> str:
        path = self.dice.choice(self.paths)
        self.person.open(path)
        return path

    def go_back(self) -> str:
        self.page.go_back(wait_until="commit")
        return ""

    def go_forward(self) -> str:
        self.page.go_forward(wait_until="commit")
        return ""

    def reload(self) -> str:
        self.page.reload(wait_until="commit")
        return ""

    def receive(self) -> str:
        status = self.dice.choice(("FAILURE", "SUCCESS"))
        self.cloud.publish(f'{{"order": {self.count}, "text": "<b>{uuid4()}"}}'.encode(), status=status)
        return status

    def resize(self) -> str:
        size: Any = self.dice.choice(SIZES)
        self.page.set_viewport_size(size)
        return f"{size}"

    def lose_the_network(self) -> str:
        self.person.context.set_offline(True)
        self.page.wait_for_timeout(_REST_MS)
        self.person.context.set_offline(False)
        return ""

    def _on_response(self, response: "Response") -> None:
        if response.status >= 500:
            self._note(f"{response.status} for {response.request.method} {response.url}")

    def _on_page(self, page: "Page") -> None:
        page.close()

    def _note(self, trouble: str) -> None:
        self.troubles.append("\n".join([f"step {self.count}: {trouble}", *self.log[-6:]]))
