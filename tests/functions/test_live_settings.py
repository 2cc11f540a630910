"""The receiver's settings file: what it may hold, when it is read again, and that a running receiver follows it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from functions.live_settings import WAIT_SECONDS, LiveSettings
from functions.receiver import STORE_SECONDS, Receiver
from infra.errors import SettingsError
from infra.local.token_signer import Signer
from infra.logs import Logger
from infra.settings import ReceiverSettings, receiver_settings
from infra.settings.settings_file import CHANGEABLE, with_settings_file
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE, PROJECT, SUBSCRIPTION, envelope, push_body
from tests.support.receiver.stage import NOW, Stage, with_claims
from tests.support.waiting import wait_until

ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "PUSH_AUDIENCE": AUDIENCE,
    "PUSH_SERVICE_ACCOUNT": ACCOUNT,
    "SUBSCRIPTIONS": SUBSCRIPTION,
}
HELD = {"LOG_LEVEL": "INFO", "MESSAGE_SHARDS": "1", "RETENTION_DAYS": "7", "SUBSCRIPTIONS": SUBSCRIPTION}
ADDED = f"projects/{PROJECT}/subscriptions/added"


def test_settings_of_the_file_replace_those_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**HELD, "SUBSCRIPTIONS": "a-b-c,d-e-f", "RETENTION_DAYS": "30", "MESSAGE_SHARDS": "4"}))
    settings = receiver_settings(with_settings_file({**ENVIRONMENT, "SETTINGS_FILE": str(file)}))
    assert (settings.subscriptions, settings.retention_days, settings.message_shards) == (("a-b-c", "d-e-f"), 30, 4)
    assert settings.push_audience == (AUDIENCE,)


@pytest.mark.parametrize("name", ["PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "GOOGLE_CLOUD_PROJECT", "OIDC_CERTS_URL"])
def test_file_does_not_change_who_may_push(tmp_path: Path, name: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**HELD, name: "https://attacker.example"}))
    with pytest.raises(SettingsError, match=f"with {name}; wanted: texts for {', '.join(CHANGEABLE)}, and no other"):
        with_settings_file({**ENVIRONMENT, "SETTINGS_FILE": str(file)})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, "it cannot be read: No such file or directory"),
        ("", "wanted: a file with one JSON object"),
        ("[]", "wanted: a file with one JSON object"),
        ('{"RETENTION_DAYS": "1", "RETENTION_DAYS": "2"}', "wanted: a file with one JSON object"),
        ("{}", "without a text for LOG_LEVEL, MESSAGE_SHARDS, RETENTION_DAYS, SUBSCRIPTIONS; wanted: texts"),
        (json.dumps({**HELD, "RETENTION_DAYS": 30}), "without a text for RETENTION_DAYS; wanted: texts"),
        (json.dumps({**HELD, "RETENTION_DAYS": None}), "without a text for RETENTION_DAYS; wanted: texts"),
        (json.dumps({**HELD, "MESSAGE_SHARDS": " "}), "without a text for MESSAGE_SHARDS; wanted: texts"),
        *(
            (json.dumps({other: HELD[other] for other in HELD if other != name}), f"text for {name}; wanted")
            for name in HELD
        ),
    ],
)
def test_wrong_file_is_named(tmp_path: Path, text: str | None, wanted: str) -> None:
    file = tmp_path / "settings.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        with_settings_file({**ENVIRONMENT, "SETTINGS_FILE": str(file)})
    assert str(caught.value).startswith(f"SETTINGS_FILE is {str(file)!r}")
    assert wanted in str(caught.value)


# For tests in which each read hangs.
SHORT_SECONDS = 0.05


class Reading:
    """Settings that are read at times that a test chooses. While ``answers`` is cleared, a read hangs."""

    def __init__(self, file: str = "/settings.json", wait_seconds: float = 20) -> None:
        self.first = replace(receiver_settings(ENVIRONMENT), settings_file=file)
        self.next: ReceiverSettings | Exception = self.first
        self.reads, self.time, self.reports = 0, 0.0, list[str]()
        self.answers = threading.Event()
        self.answers.set()
        self.live = LiveSettings(self.first, 0.0, self._read, lambda: self.time, self.reports.append, wait_seconds)

    def _read(self) -> ReceiverSettings:
        self.reads += 1
        found = self.next
        assert self.answers.wait(20), "the test lets each read end"
        if isinstance(found, Exception):
            raise found
        return found

    async def request(self) -> int:
        """Let a request arrive, and return the days of retention that it stores with."""
        if self.live.are_old():
            await self.live.renew()
        return self.live.now.retention_days

    async def after(self, seconds: float) -> int:
        """Let a request arrive after some time. Nothing runs between two requests: Cloud Run takes the CPU away."""
        self.time += seconds
        return await self.request()


def test_settings_are_read_once_a_minute() -> None:
    async def steps() -> tuple[Reading, list[int]]:
        reading = Reading()
        reading.next = replace(reading.first, retention_days=30)
        reads = []
        for seconds in (0, 59, 1, 1, 59):
            await reading.after(seconds)
            reads.append(reading.reads)
        return reading, reads

    reading, reads = asyncio.run(steps())
    assert reads == [0, 0, 1, 1, 2]
    assert reading.live.now.retention_days == 30


@pytest.mark.parametrize("idle_seconds", [60, 3600])
def test_first_request_after_a_pause_uses_the_settings_of_now(idle_seconds: float) -> None:
    async def steps() -> int:
        reading = Reading()
        reading.next = replace(reading.first, retention_days=30)
        return await reading.after(idle_seconds)

    assert asyncio.run(steps()) == 30


def test_concurrent_requests_wait_for_one_read() -> None:
    async def steps() -> tuple[list[int], int]:
        reading = Reading()
        reading.next = replace(reading.first, retention_days=30)
        reading.time = 60
        return await asyncio.gather(*(reading.request() for _ in range(9))), reading.reads

    assert asyncio.run(steps()) == ([30] * 9, 1)


def test_request_that_ends_leaves_its_read_to_the_others() -> None:
    async def steps() -> tuple[int, int]:
        reading = Reading()
        reading.next = replace(reading.first, retention_days=30)
        reading.time = 60
        reading.answers.clear()
        first = asyncio.create_task(reading.request())
        second = asyncio.create_task(reading.request())
        await asyncio.sleep(0)
        first.cancel()
        reading.answers.set()
        return await second, reading.reads

    assert asyncio.run(steps()) == (30, 1)


def test_read_that_outlives_its_request_is_not_taken_for_a_new_one() -> None:
    async def steps() -> tuple[Reading, list[int]]:
        # Long enough for the second request's reads.
        reading = Reading(wait_seconds=1)
        reading.answers.clear()
        reading.next = replace(reading.first, retention_days=30)
        used = [await reading.after(60)]
        reading.answers.set()
        reading.next = replace(reading.first, retention_days=90)
        used.append(await reading.after(3600))
        return reading, used

    reading, used = asyncio.run(steps())
    assert (used, reading.reads) == ([reading.first.retention_days, 90], 2)
    assert reading.reports == ["The settings stay as they were. Reading them takes longer than 1 s."]


def test_read_that_ends_late_is_used_by_the_next_request() -> None:
    async def steps() -> tuple[int, int]:
        reading = Reading(wait_seconds=SHORT_SECONDS)
        reading.answers.clear()
        reading.next = replace(reading.first, retention_days=30)
        await reading.after(60)
        reading.answers.set()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))
        return await reading.after(59), reading.reads

    assert asyncio.run(steps()) == (30, 1)


def test_hanging_read_takes_one_thread_and_one_wait_a_minute() -> None:
    async def steps() -> tuple[Reading, list[bool]]:
        loop, reading, waits = asyncio.get_running_loop(), Reading(wait_seconds=SHORT_SECONDS), []
        # The key server's name is resolved in this one.
        loop.set_default_executor(ThreadPoolExecutor(1))
        reading.answers.clear()
        try:
            for seconds in (60, 1, 58, 1, 59, 1):
                reading.time += seconds
                waits.append(reading.live.are_old())
                await reading.request()
            async with asyncio.timeout(10):
                await asyncio.to_thread(int)
        finally:
            reading.answers.set()
        return reading, waits

    reading, waits = asyncio.run(steps())
    assert waits == [True, False, False, True, False, True]
    assert (reading.reads, len(reading.reports)) == (1, 3)


def test_unknown_subscription_is_refused_while_a_read_hangs() -> None:
    async def steps() -> tuple[bool, bool, list[str]]:
        reading = Reading(wait_seconds=SHORT_SECONDS)
        reading.time = 1
        reading.answers.clear()
        try:
            async with asyncio.timeout(10):
                answers = [await reading.live.monitors(ADDED) for _ in range(2)]
        finally:
            reading.answers.set()
        return (
            any(answers),
            await reading.live.monitors(f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"),
            reading.reports,
        )

    unknown, known, reports = asyncio.run(steps())
    assert (unknown, known, len(reports)) == (False, True, 1)


def test_wait_for_settings_is_part_of_the_time_for_a_push(signer: Signer) -> None:
    async def answer(waited_seconds: float) -> int:
        # The token is refused before these two are used.
        nothing: Any = None
        receiver = Receiver(Reading().live, Stage(signer).tokens, nothing, nothing, Logger())
        headers = [(b"authorization", with_claims(signer, exp=NOW - 3600, iat=NOW - 7200).encode())]
        request = Request({"type": "http", "method": "POST", "headers": headers})
        return (await receiver.receive(request, waited_seconds)).status_code

    assert [asyncio.run(answer(seconds)) for seconds in (0.0, STORE_SECONDS)] == [401, 503]
    assert WAIT_SECONDS < STORE_SECONDS / 4


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            SettingsError("RETENTION_DAYS is '0'; wanted: a whole number."),
            "RETENTION_DAYS is '0'; wanted: a whole number.",
        ),
        (ValueError("a bug"), "Reading them failed: ValueError: a bug"),
    ],
)
def test_wrong_settings_change_nothing_and_are_reported(error: Exception, said: str) -> None:
    async def steps() -> Reading:
        reading = Reading()
        reading.next = error
        for seconds in (60, 59):
            await reading.after(seconds)
        return reading

    reading = asyncio.run(steps())
    assert reading.live.now is reading.first
    assert (reading.reads, reading.reports) == (1, [f"The settings stay as they were. {said}"])


def test_unknown_subscription_is_looked_up_at_most_once_a_second() -> None:
    async def steps() -> list[tuple[bool, int]]:
        reading = Reading()
        answers = []
        for seconds in (0, 1, 0.5, 0.5):
            reading.time += seconds
            # Concurrent pushes share one read.
            both = await asyncio.gather(reading.live.monitors(ADDED), reading.live.monitors(ADDED))
            answers.append((any(both), reading.reads))
            if reading.reads:
                reading.next = replace(reading.first, subscriptions=(SUBSCRIPTION, "added"))
        return answers

    assert asyncio.run(steps()) == [(False, 0), (False, 1), (False, 1), (True, 2)]


def test_without_a_file_nothing_is_read() -> None:
    async def steps() -> tuple[bool, int]:
        reading = Reading(file="")
        await reading.after(3600)
        return await reading.live.monitors(ADDED), reading.reads

    assert asyncio.run(steps()) == (False, 0)


def test_subscription_of_another_project_is_not_monitored() -> None:
    foreign = f"projects/elsewhere/subscriptions/{SUBSCRIPTION}"
    assert not asyncio.run(Reading(file="").live.monitors(foreign))


@pytest.fixture
def following(store: str, keys: KeyServer, tmp_path: Path) -> Iterator[tuple[ReceiverProcess, Path]]:
    """A receiver that reads a settings file; and the file."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(HELD))
    process = ReceiverProcess(store, keys.url, extra={"SETTINGS_FILE": str(file), "SUBSCRIPTIONS": "elsewhere"}).start()
    yield process, file
    process.close()


def test_running_receiver_accepts_a_subscription_that_is_added(
    following: tuple[ReceiverProcess, Path], signer: Signer
) -> None:
    receiver, file = following
    token = signer.push_token(ACCOUNT, AUDIENCE)
    added = json.dumps({**envelope("added"), "subscription": ADDED}).encode()
    assert receiver.push(push_body("known"), token).status == 204
    assert receiver.push(added, token).status == 403
    file.write_text(json.dumps({**HELD, "SUBSCRIPTIONS": f"{SUBSCRIPTION},added"}))
    wait_until(lambda: receiver.push(added, token).status == 204, "the receiver to read its settings again", 5)
