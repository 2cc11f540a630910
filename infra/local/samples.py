"""Sample messages: notifications of invented builds, in the form Cloud Build publishes them.

A build is announced as QUEUED, then WORKING, then SUCCESS or FAILURE: attributes ``buildId`` and ``status``, and a
Build resource as JSON (cloud.google.com/build/docs/subscribe-build-notifications).
"""

import asyncio
import json
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.local.topics import PROJECT

Publish = Callable[[bytes, dict[str, str]], Awaitable[None]]

FIRST = 3
PAUSE_SECONDS = (2.0, 6.0)
_SERVICES = ("checkout", "catalog", "search", "invoices", "mailer", "gateway")
_BRANCHES = ("main", "main", "main", "release/2.4", "fix/rounding", "feature/dark-mode")
_FAILURES = (
    "Build step 1 'python:3.12' failed: step exited with non-zero status: 1",
    "Build step 2 'gcr.io/cloud-builders/docker' failed: step exited with non-zero status: 125",
)


@dataclass(frozen=True)
class Build:
    """One invented build: queued for ``queued_seconds``, working for ``working_seconds``."""

    id: str
    service: str
    branch: str
    commit: str
    created_at: datetime
    queued_seconds: float
    working_seconds: float
    failure: str

    @classmethod
    def invent(cls, dice: random.Random, created_at: datetime) -> "Build":
        """Create a random build; one in four fails."""
        return cls(
            id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            service=dice.choice(_SERVICES),
            branch=dice.choice(_BRANCHES),
            commit=f"{dice.getrandbits(160):040x}",
            created_at=created_at,
            queued_seconds=dice.uniform(*PAUSE_SECONDS),
            working_seconds=dice.uniform(*PAUSE_SECONDS),
            failure=dice.choice(_FAILURES) if dice.random() < 0.25 else "",
        )

    def notifications(self) -> Iterator[tuple[float, bytes, dict[str, str]]]:
        """Yield the three messages of the build: delay in seconds, data, attributes."""
        last = "FAILURE" if self.failure else "SUCCESS"
        for pause, status in ((0.0, "QUEUED"), (self.queued_seconds, "WORKING"), (self.working_seconds, last)):
            data = json.dumps(self.resource(status), indent=2).encode()
            yield pause, data, {"buildId": self.id, "status": status}

    def resource(self, status: str) -> dict[str, object]:
        """Return the Build resource for ``status``."""
        image = f"europe-west1-docker.pkg.dev/{PROJECT}/services/{self.service}:{self.commit[:7]}"
        build: dict[str, object] = {
            "id": self.id,
            "projectId": PROJECT,
            "status": status,
            "source": {"gitSource": {"url": f"https://git.example/shop/{self.service}.git", "revision": self.commit}},
            "steps": self._steps(image, status),
            "images": [image],
            "createTime": _time(self.created_at),
            "timeout": "600s",
            "logUrl": f"https://console.cloud.google.com/cloud-build/builds/{self.id}?project={PROJECT}",
            "substitutions": {
                "REPO_NAME": self.service,
                "BRANCH_NAME": self.branch,
                "COMMIT_SHA": self.commit,
                "SHORT_SHA": self.commit[:7],
            },
            "tags": [self.service],
        }
        started_at = self.created_at + timedelta(seconds=self.queued_seconds)
        if status != "QUEUED":
            build["startTime"] = _time(started_at)
        if status in ("SUCCESS", "FAILURE"):
            build["finishTime"] = _time(started_at + timedelta(seconds=self.working_seconds))
        if status == "FAILURE":
            build["failureInfo"] = {"type": "USER_BUILD_STEP", "detail": self.failure}
        return build

    def _steps(self, image: str, status: str) -> list[dict[str, object]]:
        steps: list[dict[str, object]] = [
            {"name": "python:3.12", "id": "test", "args": ["make", "test"]},
            {"name": "gcr.io/cloud-builders/docker", "id": "image", "args": ["build", "--tag", image, "."]},
            {"name": "gcr.io/cloud-builders/docker", "id": "push", "args": ["push", image]},
        ]
        if status == "SUCCESS":
            for step in steps:
                step["status"] = "SUCCESS"
        return steps


async def publish_samples(publish: Publish) -> None:
    """Publish a few finished builds, then new builds one after the other, until cancelled."""
    dice = random.Random()  # noqa: S311 - invented builds, not secrets
    for minutes in range(FIRST, 0, -1):
        over = Build.invent(dice, datetime.now(UTC) - timedelta(minutes=minutes))
        for _, data, attributes in over.notifications():
            await publish(data, attributes)
    while True:
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        for pause, data, attributes in Build.invent(dice, datetime.now(UTC)).notifications():
            await asyncio.sleep(pause)
            await publish(data, attributes)


def _time(value: datetime) -> str:
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
