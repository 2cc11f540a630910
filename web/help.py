"""The help page and the table of keyboard shortcuts, which pages, dialogs and scripts share."""

from dataclasses import dataclass

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue

from web.access.roles import login_required
from web.services import services

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True)
class Shortcut:
    """A key and its action, by their names in keyboard events and in scripts; ``access`` is the lowest role."""

    key: str
    label: str
    action: str
    meaning: str
    access: str = "viewer"


SHORTCUTS = (
    Shortcut(" ", "space", "pause", "pause or resume your view"),
    Shortcut("j", "j", "next", "next message"),
    Shortcut("k", "k", "previous", "previous message"),
    Shortcut("Enter", "enter", "open", "open the message"),
    Shortcut("Escape", "esc", "close", "close it; from its own page, back to the list"),
    Shortcut("c", "c", "copy", "copy the link to the message"),
    Shortcut(".", ".", "newest", "to the newest"),
    Shortcut("/", "/", "search", "filter"),
    Shortcut("p", "p", "publish", "publish a message", access="operator"),
    Shortcut("n", "n", "next_difference", "next difference, where two messages are compared"),
    Shortcut("p", "p", "previous_difference", "previous difference, where two messages are compared"),
    Shortcut("?", "?", "help", "these keys, on every page"),
)


def init_app(app: Flask) -> None:
    """Offer the shortcuts to all templates."""
    app.jinja_env.globals["shortcuts"] = SHORTCUTS


@blueprint.get("/help")
@login_required
def page() -> ResponseReturnValue:
    """Show the keys, the two switches, the filter language and the masked fields."""
    return render_template("help/help.html", masked_fields=services().settings.masked_fields)
