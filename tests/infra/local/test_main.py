"""``python -m infra.local`` as people run it: one command starts all services and ends all processes."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import settings
from infra.messages.message import document_id
from tests.support.local_cloud import ROOT, Cloud, is_alive, launch, output_of, start_cloud
from tests.support.waiting import wait_until

OwnCloud = Callable[..., Cloud]
TEST_ARGUMENTS = ("--no-samples", "--port", "0")


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def is_stored(cloud: Cloud, message_id: str) -> bool:
    name = document_id(cloud["subscription"], message_id)
    return bool(cloud.firestore().document("messages", name).get().exists)


def test_all_services_answer_once_the_ready_file_exists(cloud: Cloud) -> None:
    assert status_of(cloud["viewer"]) < 500
    assert status_of(cloud["receiver"]) == 405
    assert status_of(cloud["certs_url"]) == 200
    assert cloud.backlog("builds-dead-letter-monitor") == {"messages": 0, "oldest_publish_time": None}


def test_only_the_owner_reads_the_ready_file(cloud: Cloud) -> None:
    assert stat.S_IMODE(cloud.ready_file.stat().st_mode) == 0o600


def test_the_services_accept_the_environment(cloud: Cloud) -> None:
    receiver, viewer = settings.receiver_settings(cloud.environ), settings.viewer_settings(cloud.environ)
    assert receiver.push_audience == (cloud["push_audience"],)
    assert viewer.subscriptions == (cloud["subscription"],)
    assert viewer.admin_password == cloud["admin_password"]
    assert len(cloud["admin_password"]) >= 16


def test_a_published_message_is_stored(cloud: Cloud) -> None:
    message_id = cloud.publish(b"hello", kind="test")
    wait_until(lambda: is_stored(cloud, message_id), "the message in Firestore")


def test_a_push_without_a_good_token_is_refused(cloud: Cloud) -> None:
    def status(token: str) -> int:
        request = urllib.request.Request(cloud["receiver"], b"{}", {"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    assert status("nonsense") == 401
    assert status(cloud.token(aud="https://other.example")) == 403
    assert status(cloud.token()) == 400


def test_the_subscription_is_set_up_as_in_production(cloud: Cloud) -> None:
    found = cloud.subscriber().get_subscription(subscription=cloud.subscription_path)
    assert found.push_config.push_endpoint == cloud["push_endpoint"]
    assert found.push_config.oidc_token.audience == cloud["push_audience"]
    assert found.push_config.oidc_token.service_account_email == cloud["push_service_account"]
    assert found.dead_letter_policy.dead_letter_topic.endswith(cloud["dead_letter_topic"])
    assert found.ack_deadline_seconds == 60
    assert not found.expiration_policy.ttl


@pytest.mark.slow
@pytest.mark.parametrize("name", ["receiver", "viewer"])
def test_a_killed_service_comes_back_at_the_same_address(module_cloud: Cloud, name: str) -> None:
    cloud = module_cloud
    address = cloud[name]
    cloud.restart_child(name)
    assert cloud.ready()[name] == address
    message_id = cloud.publish(b"after")
    wait_until(lambda: is_stored(cloud, message_id), "the message in Firestore", 15)
    assert f"The {name} ended (killed by SIGKILL); starting it again" in output_of(cloud.ready_file).read_text()


@pytest.mark.slow
def test_messages_wait_while_the_receiver_is_down(module_cloud: Cloud) -> None:
    cloud = module_cloud
    cloud.kill("receiver")
    ids = [cloud.publish(b"waits") for _ in range(5)]
    wait_until(lambda: all(is_stored(cloud, one) for one in ids), "every message in Firestore", 20)
    wait_until(lambda: cloud.backlog()["messages"] == 0, "the acknowledgement of all stored messages", 15)


@pytest.mark.slow
def test_killed_cloud_leaves_no_process(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    process = launch(ready_file, TEST_ARGUMENTS, {})
    wait_until(ready_file.exists, "the local cloud's ready file", 30)
    groups = list(json.loads(ready_file.read_text())["processes"].values())
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_alive, groups)), "the end of all services", 5)


@pytest.mark.slow
def test_end_during_start_leaves_no_process(tmp_path: Path) -> None:
    process = launch(tmp_path / "ready.json", TEST_ARGUMENTS, {})
    log = tmp_path / "logs" / "viewer.log"
    wait_until(lambda: log.exists() or process.poll() is not None, "the viewer's start", 15)
    process.send_signal(signal.SIGINT)
    process.wait(6)
    assert "Traceback" not in output_of(tmp_path / "ready.json").read_text()
    wait_until(lambda: not children_of(str(tmp_path)), "the end of all services", 2)


def test_taken_port_is_reported_before_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path, "--port", str(port))
    assert result.returncode == 2
    assert result.stderr == f"Port {port} is taken. Choose another one with --port; 0 means any.\n"
    assert not list(tmp_path.iterdir())


def test_second_cloud_keeps_the_ready_file_of_the_first(cloud: Cloud) -> None:
    before = cloud.ready_file.read_text()
    command = [sys.executable, "-m", "infra.local", "--ready-file", str(cloud.ready_file), "--port", "0"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert found.returncode == 1
    assert f"Another local cloud uses {cloud.ready_file}" in found.stderr
    assert cloud.ready_file.read_text() == before


@pytest.mark.slow
def test_invalid_setting_is_reported_in_one_line(tmp_path: Path) -> None:
    result = run(tmp_path, *TEST_ARGUMENTS, MESSAGE_SHARDS="many")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "MESSAGE_SHARDS is 'many'; wanted: a whole number from 1 to 30" in result.stderr


def test_missing_emulators_are_reported_in_one_line(tmp_path: Path) -> None:
    result = run(tmp_path, "--emulators", "google", *TEST_ARGUMENTS, PATH="/nowhere")
    assert result.returncode == 1
    assert result.stderr.startswith("Google's emulators need gcloud and Java, and gcloud is not on PATH.")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_sample_messages_arrive_and_the_ready_file_is_removed_at_the_end(tmp_path: Path) -> None:
    with start_cloud(tmp_path, arguments=("--port", "0")) as cloud:
        assert cloud.ready_file.exists()
        messages = cloud.firestore().collection("messages")
        wait_until(lambda: len(messages.get()) >= 9, "the samples")
        statuses = [one.get("attributes")["status"] for one in messages.get()]
    assert statuses.count("QUEUED") >= 3
    assert {"WORKING", "QUEUED"} < set(statuses)
    assert not cloud.ready_file.exists()
    assert cloud.process.returncode == 0


@pytest.mark.emulators
@pytest.mark.slow
def test_cloud_runs_on_googles_emulators(google_emulators: None, own_cloud: OwnCloud) -> None:
    cloud = own_cloud(emulators="google")
    assert cloud["emulators"] == "google"
    message_id = cloud.publish(b"through the relay")
    wait_until(lambda: is_stored(cloud, message_id), "the message in Firestore, through the relay", 15)
    with pytest.raises(urllib.error.HTTPError, match="501") as refusal:
        cloud.backlog()
    refusal.value.close()


def run(directory: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the local cloud with a ready file in ``directory`` until it ends."""
    command = [sys.executable, "-m", "infra.local", "--ready-file", str(directory / "ready.json"), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=30, check=False
    )


def children_of(marker: str) -> list[str]:
    """Return the command lines of processes that contain ``marker``."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if marker in line]


def test_readme_shows_the_printed_welcome(cloud: Cloud) -> None:
    shown = (ROOT / "README.md").read_text().split("```\nSubscope runs", 1)[1].split("```", 1)[0]
    printed = output_of(cloud.ready_file).read_text()
    for line in filter(None, map(str.strip, f"Subscope runs{shown}".splitlines())):
        # These parts differ between runs: the port, the password, the paths of the ready file and of Python.
        fixed = re.split(r"http://\S*|\(made up.*|\S*\.venv\S*|\S*\.local\S*", line)
        assert all(part.strip() in printed for part in fixed), f"README.md shows {line!r}, which is not printed"
