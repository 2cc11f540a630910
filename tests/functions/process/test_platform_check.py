"""A receiver behind Cloud Run's invoker check, as a process: which tokens without a signature store a message."""

from collections.abc import Iterator

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import claims, push_body
from tests.support.waiting import wait_until

REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


@pytest.fixture(scope="module")
def behind_check(store: str) -> Iterator[ReceiverProcess]:
    """Without a key server: a token without a signature needs none."""
    process = ReceiverProcess(store, "http://127.0.0.1:9/certs", extra={"SIGNATURE_CHECK": "platform"}).start()
    yield process
    process.close()


def removed(signer: Signer, **changed: object) -> str:
    return f"{signer.sign(claims(**changed)).rpartition('.')[0]}.{REMOVED}"


def test_message_is_stored_only_with_the_setting(
    behind_check: ReceiverProcess, receiver: ReceiverProcess, signer: Signer, reader: Reader
) -> None:
    assert behind_check.push(push_body("removed-on"), removed(signer)).status == 204
    assert receiver.push(push_body("removed-off"), removed(signer)).status == 401
    assert set(reader.messages_of("removed-on", "removed-off")) == {"removed-on"}


@pytest.mark.parametrize(
    ("status", "changed"),
    [(403, {"aud": "https://other.example"}), (403, {"email": "o@x.example"}), (401, {"iss": "x"})],
)
def test_claims_are_still_checked(
    behind_check: ReceiverProcess, signer: Signer, reader: Reader, status: int, changed: dict[str, object]
) -> None:
    assert behind_check.push(push_body("removed-claims"), removed(signer, **changed)).status == status
    assert not reader.messages_of("removed-claims")


def test_token_beside_one_that_cloud_run_checks_instead_is_refused(
    behind_check: ReceiverProcess, signer: Signer, reader: Reader
) -> None:
    own = removed(signer, email="another-invoker@subscope-test.iam.gserviceaccount.com")
    headers = {"X-Serverless-Authorization": f"Bearer {own}"}
    assert behind_check.push(push_body("beside"), removed(signer), **headers).status == 401
    assert not reader.messages_of("beside")


@pytest.mark.parametrize("name", ["Proxy-Authorization", "X-Goog-IAP-JWT-Assertion"])
def test_token_beside_one_that_identity_aware_proxy_checked_is_refused(
    behind_check: ReceiverProcess, signer: Signer, reader: Reader, name: str
) -> None:
    own = signer.sign(claims(email="person@example.com"))
    answer = behind_check.push(push_body("beside-proxy"), removed(signer), **{name: f"Bearer {own}"})
    assert (answer.status, name.lower() in answer.text) == (401, True)
    assert not reader.messages_of("beside-proxy")


def test_push_without_a_token_is_a_critical_event_and_ends_trust(
    behind_check: ReceiverProcess, signer: Signer, reader: Reader
) -> None:
    assert behind_check.request("POST", push_body("open"), {}).status == 401
    assert behind_check.push(push_body("open"), removed(signer)).status == 401
    assert not reader.messages_of("open")

    def severities() -> set[str]:
        return {event["severity"] for event in behind_check.events() if event.get("reason") == "service_open"}

    wait_until(severities, "the log line", 20)
    assert severities() == {"CRITICAL"}
