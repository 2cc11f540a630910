"""One colour for each monitored subscription: the edge of its messages, and the mark beside its name.

A style sheet assigns the colours, so that a row's HTML does not depend on the reader or on the other subscriptions.
"""

from collections.abc import Sequence

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from web.access.roles import login_required
from web.services import services

# Light and dark. The hues are far apart for people with colour blindness as well, and the name is always shown.
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
    """Serve the colours of the monitored subscriptions, in the order of the settings."""
    return Response(rules(services().settings.subscriptions), mimetype="text/css")


def rules(subscriptions: Sequence[str]) -> str:
    """Write ``[data-from="a"] { --edge: … }`` for each subscription; after eight, the colours repeat."""
    return "".join(_rule(name, *COLOURS[number % len(COLOURS)]) for number, name in enumerate(subscriptions))


def _rule(name: str, light: str, dark: str) -> str:
    quoted = "".join(
        character if character.isalnum() or character in "-_.~+%" else f"\\{ord(character):x} " for character in name
    )
    return f'[data-from="{quoted}"] {{ --edge: light-dark({light}, {dark}); }}\n'
