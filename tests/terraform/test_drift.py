"""Changes of the push endpoint by Start and Stop are no drift for terraform, on Google's Pub/Sub emulator."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.google_emulators import find_emulators
from tests.support.firestore.servers import local_firestore
from tests.support.ports import answers, free_port
from tests.support.terraform.runner import CALL, NUMBER, PROJECT, ROOT, Terraform
from tests.support.waiting import wait_until

SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/builds-monitor"
URL = f"https://subscope-receiver-{NUMBER}.europe-west1.run.app"


@contextlib.contextmanager
def google_pubsub() -> Iterator[str]:
    """Run Google's Pub/Sub emulator; yield its host:port, which also serves the REST API."""
    java, jar, _ = find_emulators()
    port = free_port()
    command = [java, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), "the start of Google's Pub/Sub emulator", 60)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def read(host: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{host}/v1/{SUBSCRIPTION}", timeout=10) as answer:
        subscription: dict[str, Any] = json.load(answer)
        return subscription


class Deployment:
    """Topics and subscriptions exist on the emulator; the offline provider simulates the other resources."""

    def __init__(self, terraform: Terraform, host: str, state: Path) -> None:
        self._terraform, self._host, self._state = terraform, host, state

    def call(self, subcommand: str, ack_deadline_seconds: int, *options: str) -> subprocess.CompletedProcess[str]:
        builds = f'topic="builds",start_running=true,ack_deadline_seconds={ack_deadline_seconds}'
        targets = [f"-target={CALL}google_pubsub_subscription.{name}" for name in ("monitored", "dead_letter")]
        variables = [f"-var=project={PROJECT}", f"-var=subscriptions={{builds-monitor={{{builds}}}}}"]
        common = ["-input=false", f"-state={self._state}", *targets, *variables]
        return self._terraform.run(subcommand, *common, *options, emulator=f"http://{self._host}")

    def infra(self, command: str, firestore: str) -> str:
        """Run ``python -m infra`` with the environment of the module's output console_environment."""
        shown = self._terraform.run("output", f"-state={self._state}", "-raw", "console_environment").stdout
        settings = dict(line.removeprefix("export ").split("=", 1) for line in shown.splitlines() if line)
        done = subprocess.run(
            [sys.executable, "-m", "infra", command],
            cwd=ROOT,
            env={
                **os.environ,
                **{name: value.strip("'") for name, value in settings.items()},
                "PUBSUB_EMULATOR_HOST": self._host,
                "FIRESTORE_EMULATOR_HOST": firestore,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.slow
@pytest.mark.emulators
def test_stop_is_no_drift_and_survives_an_apply(terraform: Terraform, google_emulators: None, tmp_path: Path) -> None:
    if not terraform.plans:
        pytest.skip("applying to an emulator needs the offline tool")
    with google_pubsub() as host, local_firestore() as firestore:
        deployment = Deployment(terraform, host, tmp_path / "terraform.tfstate")
        deployment.call("apply", 60, "-auto-approve")
        assert read(host)["pushConfig"]["pushEndpoint"] == URL
        assert "builds-monitor: stopped" in deployment.infra("stop", firestore)
        assert not read(host).get("pushConfig")
        deployment.call("plan", 60, "-detailed-exitcode")

        deployment.call("apply", 90, "-auto-approve")
        changed = read(host)
        assert (changed["ackDeadlineSeconds"], changed.get("pushConfig") or {}) == (90, {})

        assert "builds-monitor: receiving" in deployment.infra("start", firestore)
        assert (
            read(host)["pushConfig"]["oidcToken"]["serviceAccountEmail"]
            == f"subscope-push@{PROJECT}.iam.gserviceaccount.com"
        )
        deployment.call("plan", 90, "-detailed-exitcode")
