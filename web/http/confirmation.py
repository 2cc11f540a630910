"""Ask before an action that cannot be undone: in a dialog, or without JavaScript on a separate page.

Both send the answer with the form. Clients that ask for JSON are programs and are not asked.
"""

from dataclasses import dataclass

from flask import Flask, make_response, render_template, request
from werkzeug.wrappers import Response

from web.http.negotiation import wants_page

_FIELD, _YES = "confirmed", "yes"


@dataclass(frozen=True)
class Question:
    """``sentence`` has a place for the object's name; ``yes`` and ``no`` are the labels of the buttons."""

    sentence: str
    yes: str
    no: str = "Cancel"


QUESTIONS = {
    "stop": Question("Stop delivery of {}?", "Stop for everyone", "Keep receiving"),
    "remove": Question("Remove {}?", "Remove"),
    "password": Question("Give {} a new password? All their sign-ins end.", "New password"),
    "end": Question("End this sign-in of {}?", "End it"),
    "delete": Question("Delete the filter {}, for everyone?", "Delete"),
}


def init_app(app: Flask) -> None:
    """Offer the sentences to templates, for the dialogs."""
    app.jinja_env.globals["question"] = _sentence


def unanswered(name: str, about: str, back: str) -> Response | None:
    """Return the page that asks, with ``back`` as the link for no; None if the form already has the answer yes."""
    if not wants_page() or request.form.get(_FIELD) == _YES:
        return None
    fields = [(key, value) for key, value in request.form.items(multi=True) if key not in ("csrf_token", _FIELD)]
    body = render_template(
        "layout/confirm.html", name=name, asked=QUESTIONS[name], about=about, back=back, kept=[*fields, (_FIELD, _YES)]
    )
    return make_response(body)


def _sentence(name: str, about: str) -> str:
    return QUESTIONS[name].sentence.format(about)
