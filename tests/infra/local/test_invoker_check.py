"""The local cloud with Cloud Run's check of callers before the receiver: the whole chain of a push."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from infra.messages.message import document_id
from tests.support.local_cloud import Cloud, start_cloud
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def closed_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    arguments = ("--no-samples", "--port", "0", "--invoker", "iam")
    with start_cloud(tmp_path_factory.mktemp("closed"), arguments=arguments) as running:
        yield running


def push(url: str, token: str | None = None, **headers: str) -> int:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, b"{}", {**authorization, **headers})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def test_published_message_is_stored_without_its_signature(closed_cloud: Cloud) -> None:
    assert closed_cloud["push_endpoint"] == closed_cloud["push_audience"] + "/"
    assert closed_cloud["push_audience"] != closed_cloud["receiver"]
    assert closed_cloud.environ["SIGNATURE_CHECK"] == "platform"
    name = document_id(closed_cloud["subscription"], closed_cloud.publish(b"through the check"))
    stored = closed_cloud.firestore().document("messages", name)
    wait_until(lambda: stored.get().exists, "the message in Firestore")


def test_check_admits_the_push_account_alone(closed_cloud: Cloud) -> None:
    token = closed_cloud.token()
    assert push(closed_cloud["push_endpoint"], token) == 400, "the receiver wants an envelope"
    assert push(closed_cloud["push_endpoint"]) == 401
    assert push(closed_cloud["push_endpoint"], token.rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE") == 401
    assert push(closed_cloud["push_endpoint"], closed_cloud.token(aud="https://other.example")) == 401
    assert push(closed_cloud["push_endpoint"], closed_cloud.token(email="o@x.example")) == 403


def test_forged_token_beside_a_good_one_passes_the_check_and_not_the_receiver(closed_cloud: Cloud) -> None:
    forged = closed_cloud.token().rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
    good = {"X-Serverless-Authorization": f"Bearer {closed_cloud.token()}"}
    assert push(closed_cloud["push_endpoint"], forged, **good) == 401
