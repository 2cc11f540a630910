"""The notices after forms: the redirect's address has the name of a notice, and the page shows its sentence.

A notice appears only if the request came from one of our pages, so that a link on another site cannot make a page say
that a password was changed. Browsers send the origin of a navigation (w3.org/TR/fetch-metadata); a request without that
header counts as ours.
"""

from flask import request

_OURS = "same-origin"

# On the list of messages, by the name in the address.
LIST_NOTICES = {
    "password": "Your password is changed. All your other sign-ins have ended.",
    "saved": "The filter is saved, for everyone.",
}
# On the list as well, but only while the subscription is in the state that the sentence names.
DELIVERY_NOTICES = {
    "started": "Delivery of {subscription} is started, for everyone. Messages that waited in Pub/Sub arrive first.",
    "stopped": "Delivery of {subscription} is stopped, for everyone. Messages wait in Pub/Sub.",
}
SAVED_FILTER_NOTICES = {
    "deleted": "The filter is deleted, for everyone.",
    "colour": "Lists mark its messages in this colour from their next loading on, for everyone.",
    "default": "The list opens with this filter now, for everyone.",
    "cleared": "The list opens with everything now, for everyone.",
}
SESSION_NOTICES = {"ended": "That sign-in has ended."}
USER_NOTICES = {
    "role": "{name} has another role now and is signed out everywhere.",
    "removed": "{name} is removed and signed out everywhere.",
}


def list_notice() -> str:
    """Return the sentence for the list of messages that the address names; empty if none."""
    return LIST_NOTICES.get(asked_notice(), "")


def asked_notice() -> str:
    """Return the name of the notice in the request's address; empty if the request came from another site."""
    is_ours = request.headers.get("Sec-Fetch-Site", _OURS) == _OURS
    return request.args.get("notice", "") if is_ours else ""
