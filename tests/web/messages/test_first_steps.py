"""The empty list names the set-up steps and the errors: a missing role, another endpoint, account or audience."""

import re
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from flask import Flask
from google.pubsub_v1 import PushConfig

from tests.support.firestore.listen_proxy import ListenProxy
from tests.support.firestore.servers import LocalFirestore, LoopThread
from tests.support.firestore.settings import settings_for
from tests.support.viewer.app import running
from tests.support.viewer.topics import Topics
from tests.support.viewer.visitor import Visitor, add_user

ENDPOINT = "http://127.0.0.1:9/push"


def steps(page: str) -> tuple[str, list[str], str]:
    """Return the state of the subscription, the completed steps, and all text of the empty list."""
    section = page.split('<section class="first-steps"', 1)[1].split("</section>", 1)[0]
    state = re.search(r'data-empty="(\w+)"', section)
    assert state
    return state.group(1), re.findall(r'data-done="(\w+)"', section), " ".join(re.sub(r"<[^>]+>", "", section).split())


def push(topics: Topics, endpoint: str, account: str, audience: str) -> None:
    oidc = PushConfig.OidcToken(service_account_email=account, audience=audience)
    topics.pubsub.subscriber.modify_push_config(
        subscription=topics.settings.subscription_path(topics.name),
        push_config=PushConfig(push_endpoint=endpoint, oidc_token=oidc),
        timeout=5,
        retry=None,
    )


def test_endpoint_account_and_audience_must_all_match(acting: Visitor, topics: Topics) -> None:
    account, audience = topics.settings.push_service_account, topics.settings.push_audience[0]
    address = f"/messages?subscription={topics.name}"
    push(topics, ENDPOINT, account, audience)
    state, done, said = steps(acting.get(address).text)
    assert (state, done) == ("receiving", ["yes", "yes", "no"])
    assert "Send test message" in said
    for wrong, sentence in (
        ((ENDPOINT, "else@example.com", audience), f"service account is else@example.com, not {account}"),
        ((ENDPOINT, account, "https://else.example"), "the audience is https://else.example, not "),
    ):
        push(topics, *wrong)
        state, done, said = steps(acting.get(address).text)
        assert (state, done) == ("receiving", ["yes", "no", "no"])
        assert "which refuses what comes" in said
        assert sentence in said
        assert "Send test message" not in said
        acting.post(f"/subscriptions/{topics.name}/start")
        assert steps(acting.get(address).text)[1] == ["yes", "yes", "no"]


def test_delivery_to_another_endpoint_is_reported(acting: Visitor, reading: Visitor, topics: Topics) -> None:
    push(topics, "https://else.example/push", "else@example.com", "x")
    address = f"/messages?subscription={topics.name}"
    state, done, said = steps(reading.get(address).text)
    assert (state, done) == ("elsewhere", ["yes", "no", "no"])
    assert f"the push endpoint is https://else.example/push, not {ENDPOINT}" in said
    assert "A person with the role operator can start it" in said
    assert "Start delivery" in steps(acting.get(address).text)[2]
    acting.post(f"/subscriptions/{topics.name}/start")
    assert steps(reading.get(address).text)[0] == "receiving"


class _Refusing(grpc.GenericRpcHandler):
    """Answers every call as Google answers an account without the role."""

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        async def refuse(_: bytes, context: Any) -> bytes:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "User not authorized to perform this action.")
            return b""

        return grpc.unary_unary_rpc_method_handler(refuse, None, None)


@pytest.fixture
def denied() -> Iterator[Flask]:
    """A viewer without permission to read the subscription."""
    firestore = LocalFirestore()
    pubsub = LoopThread(lambda server: server.add_generic_rpc_handlers((_Refusing(),)))
    settings = settings_for(firestore.address, PUBSUB_EMULATOR_HOST=pubsub.address, LOG_LEVEL="CRITICAL")
    with running(settings) as app:
        yield app
    pubsub.close()
    firestore.close()


def test_missing_pubsub_role_is_named(denied: Flask) -> None:
    state, done, said = steps(Visitor(denied, add_user(denied, "admin", "operator")).get("/messages").text)
    assert (state, done) == ("denied", ["no", "no", "no"])
    assert "It needs the role roles/pubsub.editor on it" in said


def test_missing_firestore_role_is_named() -> None:
    firestore = LocalFirestore()
    proxy = ListenProxy(firestore.address)
    with running(settings_for(proxy.address, PUBSUB_EMULATOR_HOST="127.0.0.1:9", LOG_LEVEL="CRITICAL")) as app:
        reader = Visitor(app, add_user(app, "admin", "viewer"))
        proxy.refuse_reads = grpc.StatusCode.PERMISSION_DENIED
        answer = reader.get("/messages")
        assert answer.status_code == 500
        assert "The account needs the role roles/datastore.user" in answer.text
        assert "reads are refused" not in answer.text
    proxy.close()
    firestore.close()
