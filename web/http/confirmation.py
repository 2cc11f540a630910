"""A question before what cannot be undone: in a dialog where there are scripts, else on a page of its own.

Either way the answer comes with the form. Scripts that ask for JSON are not asked: nobody would be there to answer.
"""

from dataclasses import dataclass

from flask import Flask, make_response, render_template, request
from werkzeug.wrappers import Response

from web.http.negotiation import wants_page

_FIELD, _YES = "confirmed", "yes"


@dataclass(frozen=True)
class Question:
    """``sentence`` has a place for what it is about; ``yes`` and ``no`` are what the buttons say."""

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
    """Let the dialogs ask the same."""
    app.jinja_env.globals["question"] = _sentence


def unanswered(name: str, about: str, back: str) -> Response | None:
    """The page that asks before the request's form is carried out, with ``back`` for no; None when yes was said."""
    if not wants_page() or request.form.get(_FIELD) == _YES:
        return None
    kept = [(key, value) for key, value in request.form.items(multi=True) if key not in ("csrf_token", _FIELD)]
    body = render_template(
        "layout/confirm.html", name=name, asked=QUESTIONS[name], about=about, back=back, kept=[*kept, (_FIELD, _YES)]
    )
    return make_response(body)


def _sentence(name: str, about: str) -> str:
    return QUESTIONS[name].sentence.format(about)
