"""The parts that all commands share: settings, connections, the name for the audit, and standard input."""

import fcntl
import json
import os
import pwd
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import click

from infra.accounts.user_store import UserStore
from infra.errors import InputError, SettingsError
from infra.firestore.client import Database
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_control import DeliveryControl
from infra.settings import ConsoleSettings, console_settings

READY_FILE = Path(".local/ready.json")


def use_local_cloud(ready_file: Path) -> None:
    """Put the environment of a running local cloud into the process. Raises SettingsError if none runs.

    Google's clients read the addresses of emulators from the environment of the process.
    """
    try:
        ready: dict[str, Any] = json.loads(ready_file.read_text())
        _check_running(ready_file)
        environment = {str(name): str(value) for name, value in ready["environment"].items()}
        os.environ.update(environment)  # ValueError: NUL, =, or half of a surrogate pair
    except FileNotFoundError as exc:
        raise SettingsError(
            f"No local cloud is running: {ready_file} does not exist. Start one with `make run`."
        ) from exc
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError, OSError) as exc:
        raise SettingsError(f"{ready_file} is not a local cloud's ready file: {exc}.") from exc


def _check_running(ready_file: Path) -> None:
    """Raise SettingsError unless a process holds the lock: a local cloud that was killed leaves the ready file."""
    with ready_file.with_suffix(".lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    raise SettingsError(f"The local cloud that wrote {ready_file} is gone. Start one with `make run`.")


@dataclass
class CommandContext:
    """The settings and connections of a command. Connects on first use."""

    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    required: tuple[str, ...] = ()

    def requiring(self, *settings: str) -> "CommandContext":
        """Return a context for a command that requires these settings."""
        return CommandContext(self.environ, settings)

    @property
    def who(self) -> str:
        """Return the name for the audit: the account of the operating system, not LOGNAME or USER."""
        try:
            return f"{pwd.getpwuid(os.getuid()).pw_name} (command line)"
        except KeyError:  # a container's user without a name
            return f"uid {os.getuid()} (command line)"

    @cached_property
    def settings(self) -> ConsoleSettings:
        return console_settings(self.environ, *self.required)

    @cached_property
    def database(self) -> Database:
        return Database(self.settings)

    @cached_property
    def pubsub(self) -> PubSub:
        return PubSub(self.settings)

    @cached_property
    def users(self) -> UserStore:
        return UserStore(self.database)

    @cached_property
    def delivery_control(self) -> DeliveryControl:
        # Commands write for people; log lines would mix with their output.
        log = Logger("CRITICAL")
        settings, audit = self.settings, Audit(self.database)
        return DeliveryControl(settings, settings.push_endpoint, self.database, self.pubsub, audit, log)

    def choose_subscription(self, named: str | None) -> str:
        """Return the named subscription, or the only monitored one. Raises UsageError if there are several."""
        monitored = self.settings.subscriptions
        if named is None and len(monitored) != 1:
            raise click.UsageError(f"Say which subscription: {', '.join(monitored)}.")
        return monitored[0] if named is None else named


def standard_input() -> BinaryIO:
    """Return standard input as bytes. Raises InputError if the process has none."""
    if sys.stdin is None:
        raise InputError("standard input", "is closed.")
    return sys.stdin.buffer
