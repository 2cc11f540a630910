"""The receiver's settings file: what it may hold, when it is read again, and that a running receiver follows it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from functions.live_settings import LiveSettings
from infra.errors import SettingsError
from infra.local.token_signer import Signer
from infra.settings import ReceiverSettings, receiver_settings
from infra.settings.settings_file import CHANGEABLE, with_settings_file
from tests.support.receiver.key_server import KeyServer
from tests.support.receiver.process import ReceiverProcess
from tests.support.receiver.push import ACCOUNT, AUDIENCE, PROJECT, SUBSCRIPTION, envelope, push_body
from tests.support.waiting import wait_until

ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "PUSH_AUDIENCE": AUDIENCE,
    "PUSH_SERVICE_ACCOUNT": ACCOUNT,
    "SUBSCRIPTIONS": SUBSCRIPTION,
}
ADDED = f"projects/{PROJECT}/subscriptions/added"


def test_settings_of_the_file_replace_those_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"SUBSCRIPTIONS": "a-b-c,d-e-f", "RETENTION_DAYS": "30", "MESSAGE_SHARDS": "4"}))
    settings = receiver_settings(with_settings_file({**ENVIRONMENT, "SETTINGS_FILE": str(file)}))
    assert (settings.subscriptions, settings.retention_days, settings.message_shards) == (("a-b-c", "d-e-f"), 30, 4)
    assert settings.push_audience == (AUDIENCE,)


@pytest.mark.parametrize("name", ["PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "GOOGLE_CLOUD_PROJECT", "OIDC_CERTS_URL"])
def test_file_does_not_change_who_may_push(tmp_path: Path, name: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({name: "https://attacker.example"}))
    with pytest.raises(SettingsError, match=f"with {name}; wanted: texts for any of {', '.join(CHANGEABLE)}"):
        with_settings_file({**ENVIRONMENT, "SETTINGS_FILE": str(file)})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, "it cannot be read: No such file or directory"),
        ("", "wanted: a file with one JSON object"),
        ("[]", "wanted: a file with one JSON object"),
        ('{"RETENTION_DAYS": "1", "RETENTION_DAYS": "2"}', "wanted: a file with one JSON object"),
        ('{"RETENTION_DAYS": 30}', "with RETENTION_DAYS; wanted: texts"),
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


class Reading:
    """Settings that are read at times that a test chooses."""

    def __init__(self, file: str = "/settings.json") -> None:
        self.first = replace(receiver_settings(ENVIRONMENT), settings_file=file)
        self.next: ReceiverSettings | SettingsError = self.first
        self.reads, self.time, self.reports = 0, 0.0, list[str]()
        self.live = LiveSettings(self.first, 0.0, self._read, lambda: self.time, self.reports.append)

    def _read(self) -> ReceiverSettings:
        self.reads += 1
        if isinstance(self.next, SettingsError):
            raise self.next
        return self.next

    async def after(self, seconds: float) -> None:
        """Let a request arrive after some time, and what it started end."""
        self.time += seconds
        self.live.keep_current()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))


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


def test_wrong_settings_change_nothing_and_are_reported() -> None:
    async def steps() -> Reading:
        reading = Reading()
        reading.next = SettingsError("RETENTION_DAYS is '0'; wanted: a whole number.")
        await reading.after(60)
        return reading

    reading = asyncio.run(steps())
    assert reading.live.now is reading.first
    assert reading.reports == ["The settings stay as they were. RETENTION_DAYS is '0'; wanted: a whole number."]


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
    file.write_text(json.dumps({"SUBSCRIPTIONS": SUBSCRIPTION}))
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
    file.write_text(json.dumps({"SUBSCRIPTIONS": f"{SUBSCRIPTION},added"}))
    wait_until(lambda: receiver.push(added, token).status == 204, "the receiver to read its settings again", 5)
