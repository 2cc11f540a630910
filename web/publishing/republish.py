"""Publishing stored messages again, byte for byte: one, all that a filter finds, or dead letters to their source.

What is replayed says so (``infra.pubsub.replay``); its page links back to what it came from
(``web.messages.replay_links``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from infra.errors import DocumentNotFoundError, InputError, SubscopeError, SubscriptionError
from infra.firestore.message_reader import MessageReader
from infra.messages.message import Message, is_document_id
from infra.pubsub.publisher import OutgoingMessage, PublishResult, check
from infra.pubsub.replay import dead_letter_source, replay_of, replay_to_source
from web.access.roles import requires, signed_in_user
from web.filters.request_filter import find, read_filter
from web.services import services

Way = Literal["topic", "source"]

MAX_MESSAGES = 500
# Every payload is read and sent again while the person waits.
MAX_BYTES = 100_000_000

blueprint = Blueprint("republish", __name__)


@dataclass(frozen=True)
class Result:
    """What came of the messages for one topic: how many were to go and went, and what stopped the others."""

    topic: str
    wanted: int
    sent: int
    problem: str


@dataclass(frozen=True)
class Refused:
    """A message that Pub/Sub would not take again, and why."""

    message: Message
    reason: str


@blueprint.post("/messages/<document>/republish")
@requires("operator")
def republish_one(document: str) -> ResponseReturnValue:
    """Publish one message again, to its own topic or, ``to=source``, a dead letter to its source's: 303 to its way."""
    message = _stored(document)
    way = _way()
    topic = _topic(message, way)
    outgoing = _outgoing(message, way, signed_in_user().name)
    why = f"from messages/{message.id}"
    message_id = services().publisher.publish(topic, outgoing, signed_in_user().name, "message.republish", why)
    return redirect(url_for("publishing.sent", topic=topic, id=message_id), 303)


@blueprint.get("/republish")
@requires("operator")
def preview() -> ResponseReturnValue:
    """What would be published again for a filter, and to where; nothing happens yet."""
    wanted = read_filter(request.args)
    found = find(wanted, MAX_MESSAGES)
    chosen = _within_bounds(found.messages)
    accepted, refused = _sorted_out(chosen, "topic", signed_in_user().name)
    dead_letters = [one for one in chosen if dead_letter_source(one)]
    # Going back, a dead letter leaves some attributes behind: it may fit where its copy does not.
    returned, _ = _sorted_out(dead_letters, "source", signed_in_user().name)
    return render_template(
        "publishing/republish.html",
        wanted=wanted,
        messages=accepted,
        refused=refused,
        returned=returned,
        groups=_groups(accepted, "topic"),
        sources=_groups(returned, "source"),
        older=found.older or (chosen[-1].cursor if len(chosen) < len(found.messages) else None),
        most=MAX_MESSAGES,
        total_bytes=sum(one.size_bytes for one in accepted),
    )


@blueprint.post("/republish")
@requires("operator")
def republish_found() -> ResponseReturnValue:
    """Publish again exactly the messages that were confirmed, oldest first, so that ordering keys keep their order.

    What Pub/Sub would refuse is listed and left out; all else is looked at before the first is published.
    """
    way, who = _way(), signed_in_user().name
    chosen = [one for one in _confirmed(request.form.getlist("id")) if way == "topic" or dead_letter_source(one)]
    accepted, refused = _sorted_out(chosen, way, who)
    if refused and not accepted:
        raise InputError("messages", f"cannot be published again: {refused[0].reason} Nothing was published.")
    groups = _by_topic(accepted, way)
    results: list[Result] = []
    for topic, some in groups.items():
        try:
            sent = _publish(topic, some, way, who)
        except SubscopeError as exc:
            if not results:
                raise
            # What is out already must be told, whatever became of the rest.
            services().log.error(str(exc), error=type(exc).__name__, path=request.path)
            sent = PublishResult((), str(exc) if exc.status < 500 else "Pub/Sub or the database did not answer.")
        results.append(Result(topic, len(some), len(sent.message_ids), sent.problem))
    status = 200 if all(not result.problem for result in results) else 502
    return render_template("publishing/republished.html", results=results, refused=refused, who=who), status


def _publish(topic: str, messages: list[Message], way: Way, who: str) -> PublishResult:
    why = f"{len(messages)} messages, {request.form.get('q', '')[:200]!r}"
    outgoing = _each(services().all_messages, messages, way, who)
    return services().publisher.publish_all(topic, outgoing, who, "message.republish", why)


def _stored(document: str) -> Message:
    found = services().all_messages.get(document) if is_document_id(document) else None
    if found is None:
        raise DocumentNotFoundError(f"Message {document[:32]} is not there any more; nothing was published.")
    return found


def _way() -> Way:
    return "source" if request.form.get("to") == "source" else "topic"


def _topic(message: Message, way: Way) -> str:
    """The full name of the topic a message goes to. Raises InputError, SubscriptionError."""
    topics = services().publisher.topics
    if way == "topic":
        return topics.of(message.subscription)
    source = dead_letter_source(message)
    if source is None:
        raise InputError("message", f"{message.message_id} is no dead letter: it does not say where it comes from.")
    if source.project not in ("", services().settings.google_cloud_project):
        raise InputError("message", f"{message.message_id} comes from the project {source.project[:40]!r}, not ours.")
    # A publisher can write that attribute, too: whatever it names, only our own topics are published to (T24).
    found = topics.of(source.subscription)
    if found not in topics.all():
        raise InputError(
            "message", f"{message.message_id} comes from {source.subscription[:255]!r}, not monitored here."
        )
    return found


def _outgoing(message: Message, way: Way, who: str) -> OutgoingMessage:
    return _remade(message, services().all_messages.payload(message), way, who)


def _remade(message: Message, data: bytes, way: Way, who: str) -> OutgoingMessage:
    return replay_to_source(message, data, who) if way == "source" else replay_of(message, data, who)


def _each(store: MessageReader, messages: Iterable[Message], way: Way, who: str) -> Iterator[OutgoingMessage]:
    return (_remade(message, store.payload(message), way, who) for message in messages)


def _confirmed(documents: list[str]) -> list[Message]:
    """The messages, oldest first; all of them, or an error."""
    if not documents:
        raise InputError("messages", "were not chosen; nothing was published.")
    if len(documents) > MAX_MESSAGES:
        raise InputError("messages", f"are more than {MAX_MESSAGES}; nothing was published.")
    found = services().all_messages.get_many(documents)
    if gone := len(set(documents)) - len(found):
        raise DocumentNotFoundError(f"{gone} of the messages are not there any more; nothing was published.")
    if len(_within_bounds(found)) < len(found):
        raise InputError("messages", f"are more than {MAX_BYTES // 1_000_000} MB together; nothing was published.")
    # Those of one batch were received at one moment.
    return sorted(found, key=lambda message: (message.received_at, message.publish_time, message.id))


def _sorted_out(messages: list[Message], way: Way, who: str) -> tuple[list[Message], list[Refused]]:
    """Those that Pub/Sub takes, and those that it refuses: what a copy says of itself may be one attribute too many."""
    accepted: list[Message] = []
    refused: list[Refused] = []
    for message in messages:
        try:
            check(_remade(message, b"", way, who))  # Pub/Sub took the data itself before
        except InputError as exc:
            refused.append(Refused(message, str(exc)))
        else:
            accepted.append(message)
    return accepted, refused


def _by_topic(messages: list[Message], way: Way) -> dict[str, list[Message]]:
    """The messages by the topic they go to; all of them, or none and an error."""
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(_topic(message, way), []).append(message)
    if not found:
        raise InputError("messages", "are no dead letters; nothing was published.")
    return found


def _within_bounds(messages: list[Message]) -> list[Message]:
    size = 0
    for index, message in enumerate(messages):
        size += message.size_bytes
        if size > MAX_BYTES and index:
            return messages[:index]
    return messages


def _groups(messages: list[Message], way: Way) -> list[tuple[str, int, str]]:
    """Topic, how many messages, and why they cannot go there."""
    found: dict[tuple[str, str], int] = {}
    for message in messages:
        try:
            key = (_topic(message, way), "")
        except (InputError, SubscriptionError) as exc:
            key = ("", str(exc) if exc.status < 500 else "Pub/Sub cannot be asked at this moment.")
        found[key] = found.get(key, 0) + 1
    return [(topic, count, problem) for (topic, problem), count in found.items()]
