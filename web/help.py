"""Every key and what it does, on a page and in a dialog. The page's scripts read their keys from this very table."""

from dataclasses import dataclass

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue

from web.access.roles import login_required
from web.services import services

blueprint = Blueprint("help", __name__)


@dataclass(frozen=True)
class Key:
    """``key`` as a keyboard event calls it; ``action`` as scripts call its meaning; ``access`` is the least role."""

    key: str
    label: str
    action: str
    meaning: str
    access: str = "viewer"


KEYS = (
    Key(" ", "space", "pause", "pause or resume your view"),
    Key("j", "j", "next", "next message"),
    Key("k", "k", "previous", "previous message"),
    Key("Enter", "enter", "open", "open the message"),
    Key("Escape", "esc", "close", "close it; from its own page, back to the list"),
    Key("c", "c", "copy", "copy the link to the message"),
    Key(".", ".", "newest", "to the newest"),
    Key("/", "/", "search", "filter"),
    Key("p", "p", "publish", "publish a message", access="operator"),
    Key("?", "?", "help", "these keys, on every page"),
)


def init_app(app: Flask) -> None:
    """Let every page show the keys."""
    app.jinja_env.globals["keys"] = KEYS


@blueprint.get("/help")
@login_required
def page() -> ResponseReturnValue:
    """The keys, the two switches, the filter's words, and what is masked."""
    return render_template("layout/help.html", masked_fields=services().settings.masked_fields)
