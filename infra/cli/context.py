"""What every command shares: where it works, who it is, and how an error reads."""

import fcntl
import getpass
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from infra.accounts.user_store import UserStore
from infra.errors import InputError, SettingsError, SubscopeError
from infra.firestore.client import Database
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_control import DeliveryControl
from infra.settings import ConsoleSettings, console_settings

READY_FILE = Path(".local/ready.json")


def environment_of(ready_file: Path) -> dict[str, str]:
    """The environment of a running local cloud. Raises SettingsError when there is none."""
    try:
        ready: dict[str, Any] = json.loads(ready_file.read_text())
        _check_running(ready_file)
        return {str(name): str(value) for name, value in ready["environment"].items()}
    except FileNotFoundError as exc:
        raise SettingsError(
            f"No local cloud is running: {ready_file} is not there. Start one with `make run`."
        ) from exc
    except (ValueError, KeyError, AttributeError, TypeError, OSError) as exc:
        raise SettingsError(f"{ready_file} is not a local cloud's ready file: {exc}.") from exc


def _check_running(ready_file: Path) -> None:
    """A local cloud holds the lock beside its ready file; one that was killed leaves the file and holds nothing."""
    with ready_file.with_suffix(".lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    raise SettingsError(f"The local cloud that wrote {ready_file} is gone. Start one with `make run`.")


@dataclass
class CommandContext:
    """A command's surroundings; connects when first used."""

    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    needed: tuple[str, ...] = ()

    def needing(self, *settings: str) -> "CommandContext":
        """The same console, for a command that cannot do without these settings."""
        return CommandContext(self.environ, settings)

    @property
    def who(self) -> str:
        """Whom the audit names."""
        try:
            return f"{getpass.getuser()} (command line)"
        except (KeyError, OSError):  # a container's user without a name
            return f"uid {os.getuid()} (command line)"

    @cached_property
    def settings(self) -> ConsoleSettings:
        return console_settings(self.environ, *self.needed)

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
    def subscriptions(self) -> DeliveryControl:
        # Commands speak to a person; the log's lines would stand between their own.
        log = Logger("CRITICAL")
        settings, audit = self.settings, Audit(self.database)
        return DeliveryControl(settings, settings.push_endpoint, self.database, self.pubsub, audit, log)

    def one_subscription(self, named: str | None) -> str:
        """The subscription that is meant: the named one, or the only one there is."""
        monitored = self.settings.subscriptions
        if named is None and len(monitored) != 1:
            raise click.UsageError(f"Say which subscription: {', '.join(monitored)}.")
        return monitored[0] if named is None else named


class CommandGroup(click.Group):
    """A group whose commands end with a sentence on a known error: exit code 2 for what was typed or set, else 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SubscopeError as exc:
            kind = _WrongCommand if isinstance(exc, SettingsError | InputError) else click.ClickException
            raise kind(str(exc)) from exc


class _WrongCommand(click.ClickException):
    exit_code = 2
