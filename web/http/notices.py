"""The notice after a form: the redirect's address has its name, and each page has a table of its sentences.

A notice appears only if the request came from one of our pages, so that a link on another site cannot make a page say
that a password was changed. Browsers send the origin of a navigation (w3.org/TR/fetch-metadata); a request without that
header counts as ours.
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
    """Return the name of the notice in the request's address; empty if the request came from another site."""
    is_ours = request.headers.get("Sec-Fetch-Site", _OURS) == _OURS
    return request.args.get("notice", "") if is_ours else ""
