"""The receiver on Google's own Firestore emulator: what passes on infra/local passes there."""

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
            # The emulator takes its time with megabytes: more at once than this, and some get a 503 on a busy machine.
            with ThreadPoolExecutor(3) as pushers:
                assert {one.status for one in pushers.map(lambda body: receiver.push(body, token), bodies * 3)} == {204}
            with ThreadPoolExecutor(8) as pushers:
                small = [push_body(f"burst-{number}") for number in range(200)]
                assert {one.status for one in pushers.map(lambda body: receiver.push(body, token), small)} == {204}
                mid = [push_body(f"mid-{number}", b"x" * 100_000) for number in range(40)] * 2
                assert {one.status for one in pushers.map(lambda body: receiver.push(body, token), mid)} == {204}
            stored = reader.messages()
            assert {name: reader.payload(stored[name]) for name in payloads} == payloads
            assert [stored[name]["deliveries"] for name in payloads] == [3] * 6
            assert {(stored[f"mid-{n}"]["deliveries"], len(reader.payload(stored[f"mid-{n}"]))) for n in range(40)} == {
                (2, 100_000)
            }
            assert len(stored) == 246
        finally:
            reader.close()
            receiver.close()
