"""A colour for each monitored subscription: the edge of its messages, and the mark beside its name.

A style sheet tells them apart, so that a row is the same whoever reads it, whatever is monitored beside it.
"""

from collections.abc import Sequence

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from web.access.roles import login_required
from web.services import services

# Light and dark, far apart in hue also for those who see fewer of them; the name is always written, too.
COLOURS = (
    ("#17645f", "#6cc7be"),
    ("#b45309", "#f0b866"),
    ("#4f46a5", "#b3acf5"),
    ("#a3231d", "#ff9d94"),
    ("#1d6fa5", "#7cc0ee"),
    ("#7a7a12", "#d3d36a"),
    ("#9d2b78", "#f19ad3"),
    ("#4b5563", "#b8c1cc"),
)

blueprint = Blueprint("subscription_colours", __name__)


@blueprint.get("/edges.css")
@login_required
def style_sheet() -> ResponseReturnValue:
    """The colours of the monitored subscriptions, in the order of the settings."""
    return Response(rules(services().settings.subscriptions), mimetype="text/css")


def rules(subscriptions: Sequence[str]) -> str:
    """``[data-from="a"] { --edge: … }`` for each; after eight the colours begin again."""
    several = enumerate(subscriptions)
    return "".join(_rule(name, *COLOURS[number % len(COLOURS)]) for number, name in several)


def _rule(name: str, light: str, dark: str) -> str:
    quoted = "".join(one if one.isalnum() or one in "-_.~+%" else f"\\{ord(one):x} " for one in name)
    return f'[data-from="{quoted}"] {{ --edge: light-dark({light}, {dark}); }}\n'
