"""The receiver as it is deployed: every status of docs/receiver.md, and what it leaves behind."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable

import pytest

from infra.local.token_signer import Signer
from tests.support.firestore.reader import Reader
from tests.support.pages import rows
from tests.support.ports import free_port
from tests.support.receiver.process import Answer, ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE, SUBSCRIPTION, claims, envelope, push_body
from tests.support.waiting import wait_until

Case = Callable[[ReceiverProcess, Signer], Answer]


def post(receiver: ReceiverProcess, authorization: str | None, body: bytes = b"{}") -> Answer:
    headers = {} if authorization is None else {"Authorization": authorization}
    return receiver.request("POST", body, headers)


def pushed(body: bytes) -> Case:
    return lambda receiver, signer: receiver.push(body, signer.sign(claims()))


def signed(**changed: object) -> Case:
    return lambda receiver, signer: receiver.push(push_body("foreign"), signer.sign(claims(**changed)))


def no_length(receiver: ReceiverProcess, signer: Signer) -> Answer:
    token = signer.sign(claims())
    text = speak(receiver, f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return answer_of(text)


def chunked(receiver: ReceiverProcess, signer: Signer) -> Answer:
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {signer.sign(claims())}\r\n"
    return answer_of(speak(receiver, f"{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode()))


def too_long(receiver: ReceiverProcess, signer: Signer) -> Answer:
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {signer.sign(claims())}\r\n"
    return answer_of(speak(receiver, f"{head}Content-Length: {16 * 1024 * 1024}\r\n\r\n".encode()))


def speak(receiver: ReceiverProcess, request: bytes) -> str:
    """Send bytes as they are and read until the receiver closes."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=15) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def answer_of(text: str) -> Answer:
    head, _, body = text.partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return Answer(int(lines[0].split()[1]), body, headers)


other = json.dumps({**envelope("other"), "subscription": "projects/subscope-test/subscriptions/other"}).encode()
foreign = json.dumps({**envelope("foreign"), "subscription": f"projects/other/subscriptions/{SUBSCRIPTION}"}).encode()


def forged(signer: Signer) -> str:
    return Signer().key.sign(claims(), {"kid": signer.key.id})


def removed(signer: Signer) -> str:
    return signer.sign(claims()).rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"


CASES: list[tuple[int, str, Case]] = [
    (204, "a message", pushed(push_body("table-204"))),
    (204, "the same message again", pushed(push_body("table-204"))),
    (400, "no JSON", pushed(b"{")),
    (400, "an empty body", pushed(b"")),
    (400, "no message", pushed(b'{"subscription": "projects/p/subscriptions/s"}')),
    (401, "no token", lambda receiver, _: post(receiver, None)),
    (401, "a removed signature", lambda receiver, signer: receiver.push(push_body("removed"), removed(signer))),
    (401, "no bearer token", lambda receiver, _: post(receiver, "Basic eDp5")),
    (401, "no JWT", lambda receiver, _: post(receiver, "Bearer x")),
    (401, "a foreign key", lambda receiver, _: post(receiver, f"Bearer {Signer().sign(claims())}")),
    (401, "a foreign signature", lambda receiver, signer: post(receiver, f"Bearer {forged(signer)}")),
    (401, "an expired token", signed(iat=time.time() - 8000, exp=time.time() - 4400)),
    (401, "another issuer", signed(iss="https://securetoken.google.com/p")),
    (403, "another audience", signed(aud="https://other.example")),
    (403, "another account", signed(email="other@subscope-test.iam.gserviceaccount.com")),
    (403, "an unverified e-mail", signed(email_verified=False)),
    (403, "another subscription", pushed(other)),
    (403, "another project's subscription", pushed(foreign)),
    (405, "GET", lambda receiver, _: receiver.request("GET", None, {})),
    (405, "PUT", lambda receiver, _: receiver.request("PUT", b"{}", {})),
    (405, "HEAD", lambda receiver, _: receiver.request("HEAD", None, {})),
    (411, "no length", no_length),
    (411, "a chunked body", chunked),
    (413, "a body that is too long", too_long),
]


@pytest.mark.parametrize(("status", "case"), [(s, c) for s, _, c in CASES], ids=[f"{s} {n}" for s, n, _ in CASES])
def test_each_push_gets_its_status(receiver: ReceiverProcess, signer: Signer, status: int, case: Case) -> None:
    assert case(receiver, signer).status == status


def test_documentation_names_every_status_and_no_other() -> None:
    documented = {int(row[0]) for row in rows("docs/receiver.md")}
    assert documented == {status for status, _, _ in CASES} | {503}, "503 is caused under tests/faults"


BEFORE_THE_BODY = [case for status, _, case in CASES if status in (401, 405, 411, 413)]


@pytest.mark.parametrize("case", [*BEFORE_THE_BODY, signed(aud="https://other.example"), signed(email="o@x.example")])
def test_refusal_before_the_body_closes_the_connection(receiver: ReceiverProcess, signer: Signer, case: Case) -> None:
    assert case(receiver, signer).headers["connection"] == "close"


@pytest.mark.parametrize("method", ["PURGE", "TRACE", "PROPFIND"])
def test_unrouted_method_is_refused(receiver: ReceiverProcess, token: str, reader: Reader, method: str) -> None:
    answer = receiver.request(method, push_body(f"by-{method}"), {"Authorization": f"Bearer {token}"})
    assert answer.status == 405
    assert not reader.messages_of(f"by-{method}")


def test_answer_is_one_plain_sentence(receiver: ReceiverProcess, signer: Signer) -> None:
    for status, name, case in CASES:
        answer = case(receiver, signer)
        if name == "HEAD" or status == 204:
            assert answer.text == ""
            continue
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert re.fullmatch(r"[^\n]{10,200}\n", answer.text), answer.text


def test_400_names_the_field(receiver: ReceiverProcess, signer: Signer) -> None:
    body = json.dumps(envelope("x", publishTime="yesterday", publish_time="yesterday")).encode()
    assert receiver.push(body, signer.sign(claims())).text.startswith("message.publishTime: ")


def test_401_says_how_to_authenticate(receiver: ReceiverProcess) -> None:
    assert post(receiver, None).headers["www-authenticate"] == "Bearer"


def test_two_authorization_headers_are_refused(receiver: ReceiverProcess, token: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"
    assert answer_of(speak(receiver, f"{head}Content-Length: 2\r\n\r\n{{}}".encode())).status == 401


@pytest.mark.parametrize("length", ["", f"Content-Length: {16 * 1024 * 1024}\r\n"], ids=["none", "too long"])
def test_token_comes_before_the_length(receiver: ReceiverProcess, signer: Signer, length: str) -> None:
    for status, token in ((401, "a.b.c"), (403, signer.sign(claims(aud="https://other.example")))):
        head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\n{length}\r\n"
        assert answer_of(speak(receiver, head.encode())).status == status


def test_largest_legal_push_is_stored(receiver: ReceiverProcess, token: str) -> None:
    # cloud.google.com/pubsub/quotas#resource_limits, each character of an attribute six bytes long in JSON.
    attributes = {f"{number:03}" + "\x01" * 253: "\x01" * 1024 for number in range(100)}
    body = push_body("largest", b"x" * 10_000_000, attributes)
    assert len(body) > 14_000_000
    assert receiver.push(body, token).status == 204


def test_refused_push_stores_nothing(receiver: ReceiverProcess, signer: Signer, reader: Reader) -> None:
    before = reader.versions("messages")
    for status, _, case in CASES:
        if status != 204:
            case(receiver, signer)
    assert reader.versions("messages") == before


def test_refusal_is_one_log_line_without_payload_or_token(receiver: ReceiverProcess, token: str) -> None:
    message_id = f"log-{time.monotonic_ns()}"
    body = {**envelope(message_id, b"a secret payload"), "subscription": "projects/subscope-test/subscriptions/other"}
    trace = "0af7651916cd43dd8448eb211c80319c"
    receiver.push(json.dumps(body).encode(), token, traceparent=f"00-{trace}-b7ad6b7169203331-01")
    wait_until(lambda: message_id in receiver.log_file.read_text(), "the log line", 20)
    [event] = [one for one in receiver.events() if one.get("message_id") == message_id]
    assert event["severity"] == "WARNING"
    assert event["reason"] == "subscription"
    assert event["status"] == 403
    assert event["subscription"] == "projects/subscope-test/subscriptions/other"
    assert event["logging.googleapis.com/trace"] == f"projects/subscope-test/traces/{trace}"
    logged = receiver.log_file.read_text()
    assert token not in logged
    assert "secret" not in logged
    assert "YSBzZWNyZXQ" not in logged


def test_stored_push_is_not_logged(receiver: ReceiverProcess, token: str) -> None:
    assert receiver.push(push_body("quiet"), token).status == 204
    other = {**envelope("loud"), "subscription": "projects/subscope-test/subscriptions/other"}
    receiver.push(json.dumps(other).encode(), token)
    wait_until(lambda: any(event.get("message_id") == "loud" for event in receiver.events()), "the next log line", 20)
    assert not [event for event in receiver.events() if event.get("message_id") == "quiet"]


def test_signed_push_that_is_refused_leaves_a_rejection(
    receiver: ReceiverProcess, signer: Signer, reader: Reader
) -> None:
    # At most one rejection a second is written: wait for the next second.
    time.sleep(1.1)
    audience = f"https://other.example/{time.monotonic_ns()}"
    assert receiver.push(push_body("x"), signer.sign(claims(aud=audience))).status == 403
    [found] = [one for one in reader.all("rejections").values() if one["claims"]["aud"] == audience]
    assert (found["reason"], found["claims"]["email"]) == ("audience", ACCOUNT)
    assert set(found) == {"reason", "detail", "claims", "at", "expire_at"}


def test_rejections_are_rate_limited_and_need_a_valid_token(
    receiver: ReceiverProcess, signer: Signer, reader: Reader
) -> None:
    time.sleep(1.1)
    before = set(reader.all("rejections"))
    stranger = Signer().sign(claims(aud="https://stranger.example"))
    start = time.monotonic()
    for _ in range(60):
        receiver.push(push_body("x"), stranger)
        receiver.push(b"{", signer.sign(claims()))
    seconds = time.monotonic() - start
    written = [one for name, one in reader.all("rejections").items() if name not in before]
    assert 1 <= len(written) <= seconds + 1
    assert {(one["reason"], one["claims"]["aud"]) for one in written} == {("envelope", AUDIENCE)}


def test_slow_body_is_given_up_after_ten_seconds(receiver: ReceiverProcess, token: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n"
    start = time.monotonic()
    answer = answer_of(speak(receiver, f"{head}{{".encode()))
    assert answer.status == 400
    assert 9 < time.monotonic() - start < 12


def test_client_disconnecting_within_its_body_affects_no_other_push(receiver: ReceiverProcess, token: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: r\r\nAuthorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=5) as connection:
            connection.sendall(f"{head}{{".encode())
    assert receiver.push(push_body("after-leavers"), token).status == 204
    assert "Traceback" not in receiver.log_file.read_text()


def test_simultaneous_pushes_of_one_message_make_one_document(
    receiver: ReceiverProcess, token: str, reader: Reader
) -> None:
    answers: list[int] = []
    barrier = threading.Barrier(32)

    def push() -> None:
        barrier.wait()
        answers.append(receiver.push(push_body("thirty-two"), token).status)

    threads = [threading.Thread(target=push) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [204] * 32
    assert reader.messages_of("thirty-two")["thirty-two"]["deliveries"] == 32


def test_missing_setting_stops_the_start_with_one_line(store: str) -> None:
    process = ReceiverProcess(store, "https://keys.example", extra={"PUSH_AUDIENCE": ""}, port=free_port())
    with pytest.raises(AssertionError, match="ended at once"):
        process.start()
    [line] = process.log_file.read_text().splitlines()
    event = json.loads(line)
    assert event["severity"] == "CRITICAL"
    assert event["message"].startswith("PUSH_AUDIENCE is not set")
    process.close()
