"""Show, start and stop the delivery of each subscription.

The state is read from the subscription itself. Start sets the push config of the deployment's settings, and takes
nothing from the form.
"""

from collections.abc import Iterable

from flask import Blueprint, Flask, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from infra.pubsub.delivery_state import Delivery
from web.access.monitored import subscription_in_path
from web.access.roles import requires, signed_in_user
from web.delivery.words import (
    STATES,
    attributes_of_test,
    filter_doubt,
    publish_command,
    shown_state,
    state_json,
    state_of,
)
from web.formats import iso
from web.http.confirmation import unanswered
from web.http.negotiation import wants_page
from web.http.notices import DELIVERY_NOTICES
from web.services import services

# The notice's name comes from the address, and the state may have changed since: show it only in the state it claims.
_TRUE_IN = {"started": "receiving", "stopped": "stopped"}

blueprint = Blueprint("delivery", __name__)


def init_app(app: Flask) -> None:
    """Let templates show deliveries in words."""
    app.jinja_env.globals.update(
        delivery_state=state_of,
        shown_state=shown_state,
        delivery_words=STATES,
        state_json=state_json,
        filter_doubt=filter_doubt,
        attributes_of_test=attributes_of_test,
        publish_command=publish_command,
    )


@blueprint.post("/subscriptions/<subscription>/start")
@requires("operator")
def start(subscription: str) -> ResponseReturnValue:
    """Start delivery to this monitor, for everyone."""
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
    """Return the state of every monitored subscription, read now."""
    return services().state_reader.read_all()


def delivery_json(delivery: Delivery) -> dict[str, object]:
    """Return a delivery for programs."""
    return {
        "subscription": delivery.subscription,
        "state": state_of(delivery),
        "observed_running": delivery.is_pushing,
        "changed_by": delivery.changed_by,
        "changed_at": iso(delivery.changed_at) if delivery.changed_at else None,
        "push_endpoint": delivery.push_endpoint,
        "differences": list(delivery.differences),
        "filter": delivery.filter,
        "checked_at": iso(delivery.checked_at) if delivery.checked_at else None,
        "warnings": list(delivery.warnings),
    }


def notice_text(notice: str, about: str, deliveries: Iterable[Delivery]) -> str:
    """Return the notice's sentence, or "" if it contradicts the subscription's current state."""
    states = {delivery.subscription: state_of(delivery) for delivery in deliveries}
    if notice not in DELIVERY_NOTICES or states.get(about) != _TRUE_IN[notice]:
        return ""
    return DELIVERY_NOTICES[notice].format(subscription=about)


def _done(delivery: Delivery, notice: str) -> ResponseReturnValue:
    if wants_page():
        return redirect(url_for("messages.index", notice=notice, about=delivery.subscription), 303)
    return jsonify({**delivery_json(delivery), **state_json(shown_state(delivery), is_pushing=delivery.is_pushing)})
