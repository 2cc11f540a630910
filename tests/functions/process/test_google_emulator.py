"""The receiver on Google's own Firestore emulator, with the expectations of infra/local."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.envelope import MAX_NAME_BYTES
from tests.support.firestore.reader import Reader
from tests.support.firestore.servers import google_emulator
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import envelope, push_body

ODD = {"__x__": "", "": "e", "a.b": "`", "%5F": "%", "ключ": "☃", "n" * MAX_NAME_BYTES: "the longest"}


@pytest.mark.emulators
@pytest.mark.usefixtures("google_emulators")
def test_messages_of_every_size_are_stored_once_and_counted(keys: KeyServer, token: str) -> None:
    payloads = {
        "empty": b"",
        "small": b"\xff\x00",
        "inline": b"x" * 16_384,
        "mid": os.urandom(16_385),
        "fits": os.urandom(3_670_016),
        "large": os.urandom(5_000_000),
    }
    bodies = [json.dumps(envelope(name, data, ODD)).encode() for name, data in payloads.items()]
    with google_emulator() as firestore:
        receiver = ReceiverProcess(firestore, keys.url).start()
        reader = Reader(firestore)
        try:
            # The emulator is slow with megabytes: of three at once, some time out on a busy machine.
            with ThreadPoolExecutor(3) as pushers:
                attempts = list(pushers.map(lambda body: push_until_stored(receiver, body, token), bodies * 3))
            with ThreadPoolExecutor(8) as pushers:
                small = [push_body(f"burst-{number}") for number in range(200)]
                list(pushers.map(lambda body: push_until_stored(receiver, body, token), small))
                mid = [push_body(f"mid-{number}", b"x" * 100_000) for number in range(40)] * 2
                mid_attempts = list(pushers.map(lambda body: push_until_stored(receiver, body, token), mid))
            stored = reader.messages()
            assert {name: reader.payload(stored[name]) for name in payloads} == payloads
            for number, name in enumerate(payloads):
                assert 3 <= stored[name]["deliveries"] <= sum(attempts[number::6])
            for number in range(40):
                message = stored[f"mid-{number}"]
                assert 2 <= message["deliveries"] <= sum(mid_attempts[number::40])
                assert len(reader.payload(message)) == 100_000
            assert len(stored) == 246
        finally:
            reader.close()
            receiver.close()


def push_until_stored(receiver: ReceiverProcess, body: bytes, token: str) -> int:
    """Push again after a 503, as Pub/Sub does; return the number of attempts.

    A refused attempt may have been counted: Firestore can commit and answer too late.
    """
    for attempt in range(1, 11):
        status = receiver.push(body, token).status
        if status == 204:
            return attempt
        assert status == 503
    raise AssertionError("ten attempts were refused")
