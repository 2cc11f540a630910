"""Publish stored messages again, byte for byte: one, all that a filter finds, or dead letters to their source.

The attributes of a replayed message name the original (``infra.pubsub.replay``), and its page links there
(``web.messages.replay_links``).
"""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from infra.errors import DocumentNotFoundError, InputError, SubscopeError
from infra.messages.message import Message, is_document_id
from infra.pubsub.client import REQUEST_BYTES
from infra.pubsub.publisher import OutgoingMessage, PublishResult
from infra.pubsub.replay import dead_letter_source
from web.access.roles import requires, signed_in_user
from web.filters.request_filter import find, read_filter
from web.http.memory_budget import COPIES
from web.publishing.replay_plan import (
    Destination,
    RefusedMessage,
    by_topic,
    groups_of,
    replayed,
    split_refused,
    topic_of,
)
from web.services import services

MAX_MESSAGES = 500
# Every payload is read and sent again while the user waits.
MAX_BYTES = 100_000_000

blueprint = Blueprint("republish", __name__)


@dataclass(frozen=True)
class TopicResult:
    """The outcome for one topic: how many messages were requested and sent, and the error that stopped the others."""

    topic: str
    wanted: int
    sent: int
    problem: str


@blueprint.post("/messages/<document>/republish")
@requires("operator")
def republish_one(document: str) -> ResponseReturnValue:
    """Publish one message again: 303 to the page that follows it.

    It goes to its topic; with ``to=source`` a dead letter goes to the topic of its source.
    """
    message = _stored(document)
    destination = _destination()
    topic = topic_of(message, destination)
    why = f"from messages/{message.id}"
    who = signed_in_user().name

    def publish() -> str:
        with services().payload_memory.held(who, _cost([message])):
            outgoing = _outgoing(message, destination, who)
            return services().publisher.publish(topic, outgoing, who, "message.republish", why)

    message_id = services().once.run(("republish", who, message.id, topic), publish)
    return redirect(url_for("publishing.sent", topic=topic, id=message_id), 303)


@blueprint.get("/republish")
@requires("operator")
def preview() -> ResponseReturnValue:
    """Show which messages of a filter would be published again, and to which topics. Publishes nothing."""
    wanted = read_filter(request.args)
    result = find(wanted, MAX_MESSAGES)
    chosen = _within_bounds(result.messages)
    accepted, refused = split_refused(chosen, "topic", signed_in_user().name)
    dead_letters = [message for message in chosen if dead_letter_source(message)]
    # A dead letter loses some attributes on the way to its source, so it may fit there although its copy does not.
    returned, _ = split_refused(dead_letters, "source", signed_in_user().name)
    return render_template(
        "publishing/republish.html",
        wanted=wanted,
        messages=accepted,
        refused=refused,
        returned=returned,
        groups=groups_of(accepted, "topic"),
        sources=groups_of(returned, "source"),
        older=result.older or (chosen[-1].cursor if len(chosen) < len(result.messages) else None),
        most=MAX_MESSAGES,
        total_bytes=sum(message.size_bytes for message in accepted),
    )


@blueprint.post("/republish")
@requires("operator")
def republish_confirmed() -> ResponseReturnValue:
    """Publish exactly the confirmed messages again, oldest first, so that ordering keys keep their order.

    Messages that Pub/Sub would refuse are listed and left out. All checks are made before the first message is sent.
    """
    destination, who = _destination(), signed_in_user().name
    documents = request.form.getlist("id")
    results, refused = services().once.run(
        ("republish", who, destination, *documents), lambda: _republish_all(documents, destination, who)
    )
    status = 200 if all(not result.problem for result in results) else 502
    return render_template("publishing/republished.html", results=results, refused=refused, who=who), status


def _republish_all(
    documents: list[str], destination: Destination, who: str
) -> tuple[list[TopicResult], list[RefusedMessage]]:
    confirmed = _confirmed(documents)
    chosen = [message for message in confirmed if destination == "topic" or dead_letter_source(message)]
    accepted, refused = split_refused(chosen, destination, who)
    if refused and not accepted:
        raise InputError("messages", f"cannot be published again: {refused[0].reason} Nothing was published.")
    groups = by_topic(accepted, destination)
    results: list[TopicResult] = []
    for topic, messages in groups.items():
        try:
            sent = _publish(topic, messages, destination, who)
        except SubscopeError as exc:
            if not results:
                raise
            # Messages are already published, so the page must report them, and this error with them.
            services().log.error(str(exc), error=type(exc).__name__, path=request.path)
            sent = PublishResult((), str(exc) if exc.status < 500 else "Pub/Sub or the database did not answer.")
        results.append(TopicResult(topic, len(messages), len(sent.message_ids), sent.problem))
    return results, refused


def _publish(topic: str, messages: list[Message], destination: Destination, who: str) -> PublishResult:
    why = f"{len(messages)} messages, {request.form.get('q', '')[:200]!r}"
    outgoing = (_outgoing(message, destination, who) for message in messages)
    with services().payload_memory.held(who, _cost(messages)):
        return services().publisher.publish_all(topic, outgoing, who, "message.republish", why)


def _cost(messages: list[Message]) -> int:
    """Return the memory while messages are published: that of one request to Pub/Sub."""
    return min(sum(message.size_bytes for message in messages if message.chunks), REQUEST_BYTES) * COPIES


def _stored(document: str) -> Message:
    message = services().all_messages.get(document) if is_document_id(document) else None
    if message is None:
        raise DocumentNotFoundError(f"Message {document[:32]} does not exist; nothing was published.")
    return message


def _destination() -> Destination:
    return "source" if request.form.get("to") == "source" else "topic"


def _outgoing(message: Message, destination: Destination, who: str) -> OutgoingMessage:
    return replayed(message, services().all_messages.payload(message), destination, who)


def _confirmed(documents: list[str]) -> list[Message]:
    """Return the messages, oldest first. Raises InputError or DocumentNotFoundError unless all can be published."""
    if not documents:
        raise InputError("messages", "were not chosen; nothing was published.")
    if len(documents) > MAX_MESSAGES:
        raise InputError("messages", f"are more than {MAX_MESSAGES}; nothing was published.")
    messages = services().all_messages.get_many(documents)
    if missing := len(set(documents)) - len(messages):
        raise DocumentNotFoundError(f"{missing} of the messages do not exist any longer; nothing was published.")
    if len(_within_bounds(messages)) < len(messages):
        raise InputError("messages", f"are more than {MAX_BYTES // 1_000_000} MB together; nothing was published.")
    # Messages of one batch have the same time of receipt.
    return sorted(messages, key=lambda message: (message.received_at, message.publish_time, message.id))


def _within_bounds(messages: list[Message]) -> list[Message]:
    size = 0
    for index, message in enumerate(messages):
        size += message.size_bytes
        if size > MAX_BYTES and index:
            return messages[:index]
    return messages
