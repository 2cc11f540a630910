"""The notice after a form: the redirect's address names it, and each page has a table of sentences for its own.

Shown to whoever comes from one of our pages: a link of somebody else's must not make a page say that a password was
changed. Browsers say where a navigation comes from (w3.org/TR/fetch-metadata); one that does not is believed.
"""

from collections.abc import Mapping

from flask import Blueprint, current_app, request

_OURS = "same-origin"
_EXTENSION = "subscope_list_notices"


def add_list_notices(blueprint: Blueprint, sentences: Mapping[str, str]) -> None:
    """Let the list of messages show these sentences: forms of several packages lead there."""
    blueprint.record_once(lambda state: state.app.extensions.setdefault(_EXTENSION, {}).update(sentences))


def list_notice() -> str:
    """Return the sentence that the address names, of those added for the list; empty if none."""
    sentences: dict[str, str] = current_app.extensions.get(_EXTENSION, {})
    return sentences.get(asked_notice(), "")


def asked_notice() -> str:
    """The notice that the request's address names; empty when no page of ours led here."""
    is_ours = request.headers.get("Sec-Fetch-Site", _OURS) == _OURS
    return request.args.get("notice", "") if is_ours else ""
