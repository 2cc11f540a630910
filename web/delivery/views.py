"""Delivery as people see and switch it: the state of each subscription in words, Start and Stop.

State is read from the subscription itself; what Start sets comes from the deployment's settings, never from a form.
"""

from collections.abc import Iterable

from flask import Blueprint, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from infra.pubsub.delivery_state import Delivery
from web.access.monitored import subscription_in_path
from web.access.roles import requires, signed_in_user
from web.formats import iso
from web.http.confirmation import unanswered
from web.http.negotiation import wants_page
from web.services import services

STATE_WORDS = {
    "receiving": "RECEIVING",
    "elsewhere": "SENT ELSEWHERE",
    "stopped": "STOPPED",
    "missing": "NOT FOUND",
    "denied": "NO ACCESS",
    "unknown": "UNKNOWN",
}
_NOTICES = {
    "started": "Delivery of {subscription} is started, for everyone. What waited in Pub/Sub arrives first.",
    "stopped": "Delivery of {subscription} is stopped, for everyone. Messages wait in Pub/Sub.",
}
# The notice's name comes from the address, and the state may have changed since: show it only in the state it claims.
_TRUE_IN = {"started": "receiving", "stopped": "stopped"}

blueprint = Blueprint("delivery", __name__)


@blueprint.post("/subscriptions/<subscription>/start")
@requires("operator")
def start(subscription: str) -> ResponseReturnValue:
    """Deliver to this monitor again, for everyone."""
    subscription_in_path(subscription)
    return _done(services().delivery_control.start(subscription, signed_in_user().name), "started")


@blueprint.post("/subscriptions/<subscription>/stop")
@requires("operator")
def stop(subscription: str) -> ResponseReturnValue:
    """Stop delivery for everyone; messages wait in Pub/Sub."""
    subscription_in_path(subscription)
    if question := unanswered("stop", subscription, url_for("messages.index")):
        return question
    return _done(services().delivery_control.stop(subscription, signed_in_user().name), "stopped")


def read_deliveries() -> list[Delivery]:
    """The state of every monitored subscription, read now."""
    return services().state_reader.read_all()


def state_of(delivery: Delivery) -> str:
    """The key of ``STATE_WORDS``: a subscription that pushes to another address is not receiving here."""
    return "elsewhere" if delivery.state == "receiving" and not delivery.ours else delivery.state


def delivery_json(delivery: Delivery) -> dict[str, object]:
    """What the stream's ``delivery`` event carries, with what only an observation knows."""
    return {
        "subscription": delivery.subscription,
        "state": state_of(delivery),
        "observed_running": delivery.state == "receiving",
        "changed_by": delivery.changed_by,
        "changed_at": iso(delivery.changed_at) if delivery.changed_at else None,
        "push_endpoint": delivery.push_endpoint,
        "differences": list(delivery.differences),
        "checked_at": iso(delivery.checked_at) if delivery.checked_at else None,
        "warnings": list(delivery.warnings),
    }


def notice_text(notice: str, about: str, deliveries: Iterable[Delivery]) -> str:
    """Return the notice's sentence, or "" if it contradicts the subscription's current state."""
    states = {delivery.subscription: state_of(delivery) for delivery in deliveries}
    if notice not in _NOTICES or states.get(about) != _TRUE_IN[notice]:
        return ""
    return _NOTICES[notice].format(subscription=about)


def _done(delivery: Delivery, notice: str) -> ResponseReturnValue:
    if wants_page():
        return redirect(url_for("messages.index", notice=notice, about=delivery.subscription), 303)
    return jsonify(delivery_json(delivery))
