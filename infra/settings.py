"""The settings of both services: the only module that knows the names of environment variables.

A required setting has no default: without it a service refuses to start and names it. A wrong one says what was found
and what is wanted. ``Setting`` rows are what README.md's table and terraform's environment blocks are checked against.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from infra.errors import SettingsError
from infra.logs import Severity

AuthMode = Literal["password", "iap"]
GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v1/certs"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Setting:
    """One environment variable: ``default`` is None when it is required, ``meaning`` a sentence for people."""

    name: str
    default: str | None
    parse: Callable[[str], Any]
    meaning: str
    # What a command that does not need it sees.
    empty: Any = ""


def _text(value: str) -> str:
    return value


def _ids(value: str) -> tuple[str, ...]:
    """Subscription ids: a letter first (cloud.google.com/pubsub/docs/pubsub-basics#resource_names)."""
    ids = _list(value)
    for one in ids:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}", one):
            raise ValueError(f"subscription ids separated by commas, and {one!r} is not one")
    return ids


def _list(value: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise ValueError("at least one, separated by commas")
    return parts


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _secure_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return value
    raise ValueError("an https URL (http only for this machine's loopback)")


def _loopback_url(value: str) -> str:
    if value and urlsplit(value).hostname not in _LOOPBACK:
        raise ValueError("a URL on this machine's loopback")
    return _secure_url(value) if value else ""


def _local_addresses(value: str) -> tuple[str, ...]:
    addresses = tuple(part.strip() for part in value.split(",") if part.strip())
    for one in addresses:
        # Nothing protects a cookie on plain http to another machine.
        if not re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", one):
            raise ValueError(f"addresses such as http://localhost:8080 separated by commas, and {one!r} is not one")
    return addresses


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", value):
        raise ValueError("a service account's e-mail address")
    return value


def _secret(value: str) -> str:
    if len(value.encode()) < 32:
        raise ValueError("at least 32 bytes of randomness (the value is not shown)")
    return value


def _password(value: str) -> str:
    if value and not 12 <= len(value.encode()) <= 1024:
        raise ValueError("12 to 1024 bytes (the value is not shown)")
    return value


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value

    return parse


_HIDDEN = frozenset({"SECRET_KEY", "ADMIN_PASSWORD"})

COMMON = (
    Setting("GOOGLE_CLOUD_PROJECT", None, _text, "the project id"),
    Setting("FIRESTORE_DATABASE", "(default)", _text, "the Firestore database's id"),
    Setting(
        "MESSAGE_SHARDS",
        "1",
        _between(1, 30),
        "index ranges that new messages spread over; each takes about 500 writes/s",
    ),
    Setting("RETENTION_DAYS", "7", _between(1, 3650), "days until Firestore deletes a message"),
    Setting(
        "PUSH_AUDIENCE", None, _list, "the audience a push token must name; several by commas, Start uses the first"
    ),
    Setting("PUSH_SERVICE_ACCOUNT", None, _email, "the service account a push token must be signed for"),
    Setting("SUBSCRIPTIONS", None, _ids, "ids of the monitored subscriptions in this project, by commas", ()),
    Setting("LOG_LEVEL", "INFO", _one_of(*get_args(Severity)), "the least severe event that is logged"),
)
RECEIVER = (
    Setting("OIDC_CERTS_URL", GOOGLE_CERTS_URL, _secure_url, "where Google's signing certificates are fetched"),
)
VIEWER = (
    Setting("PUSH_ENDPOINT", None, _secure_url, "the receiver's address, which Start sets on the subscription"),
    Setting("SECRET_KEY", None, _secret, "signs forms; at least 32 random bytes"),
    Setting("AUTH_MODE", "password", _one_of(*get_args(AuthMode)), "`password`, or `iap` behind Identity-Aware Proxy"),
    Setting("IAP_AUDIENCE", "", _text, "the audience of IAP's signed header; required with AUTH_MODE=iap"),
    Setting("ADMIN_PASSWORD", "", _password, "the first admin's password; generated and logged once when empty"),
    Setting(
        "MAX_STREAMS",
        "250",
        _between(1, 1000),
        "live streams one viewer process serves, a quarter of them or ten for one person; more get 503",
    ),
    Setting("ENVIRONMENT_LABEL", "", _text, "shown in the header, for example PROD"),
    Setting(
        "LOCAL_ADDRESSES",
        "",
        _local_addresses,
        "where browsers open a viewer that only `gcloud run services proxy` reaches; several by commas",
    ),
)
# What stands in for Google on one machine; Google's own clients read the hosts, too. A deployed service refuses them.
EMULATORS = (
    Setting("FIRESTORE_EMULATOR_HOST", "", _text, "host:port of a local Firestore; never set in production"),
    Setting("PUBSUB_EMULATOR_HOST", "", _text, "host:port of a local Pub/Sub; never set in production"),
    Setting("BACKLOG_URL", "", _loopback_url, "what a local Pub/Sub says waits; never set in production"),
)


@dataclass(frozen=True)
class Settings:
    """What both services read."""

    google_cloud_project: str
    firestore_database: str
    message_shards: int
    retention_days: int
    push_audience: tuple[str, ...]
    push_service_account: str
    subscriptions: tuple[str, ...]
    log_level: Severity
    firestore_emulator_host: str
    pubsub_emulator_host: str

    def subscription_path(self, subscription: str) -> str:
        """The full name of a subscription id: ``projects/P/subscriptions/S``."""
        return f"projects/{self.google_cloud_project}/subscriptions/{subscription}"


@dataclass(frozen=True)
class ReceiverSettings(Settings):
    """What the receiver reads."""

    oidc_certs_url: str


@dataclass(frozen=True)
class ViewerSettings(Settings):
    """What the viewer reads."""

    push_endpoint: str
    secret_key: str
    auth_mode: AuthMode
    iap_audience: str
    admin_password: str
    max_streams: int
    environment_label: str
    local_addresses: tuple[str, ...]
    backlog_url: str


@dataclass(frozen=True)
class ConsoleSettings(Settings):
    """What a command reads. What it does not need may be missing, and is empty then."""

    push_endpoint: str


def console_settings(environ: Mapping[str, str], *needed: str) -> ConsoleSettings:
    """Read a command's settings: the project, and of the other required ones those named in ``needed``.

    Raises SettingsError naming the first variable that is missing or wrong.
    """
    endpoint = tuple(row for row in VIEWER if row.name == "PUSH_ENDPOINT")
    needed = ("GOOGLE_CLOUD_PROJECT", *needed)
    return _read(ConsoleSettings, (*COMMON, *EMULATORS, *endpoint), environ, lambda row: row.name in needed)


def receiver_settings(environ: Mapping[str, str]) -> ReceiverSettings:
    """Read the receiver's settings. Raises SettingsError naming the first variable that is missing or wrong."""
    settings = _read(ReceiverSettings, (*COMMON, *EMULATORS, *RECEIVER), environ)
    if behind_front_end(environ) and settings.oidc_certs_url != GOOGLE_CERTS_URL:
        raise SettingsError(
            f"OIDC_CERTS_URL is {settings.oidc_certs_url!r} on Cloud Run; "
            "whoever serves it can forge every token. Remove it."
        )
    return settings


def viewer_settings(environ: Mapping[str, str]) -> ViewerSettings:
    """Read the viewer's settings. Raises SettingsError naming the first variable that is missing or wrong."""
    settings = _read(ViewerSettings, (*COMMON, *EMULATORS, *VIEWER), environ)
    if settings.auth_mode == "iap" and not settings.iap_audience:
        raise SettingsError("IAP_AUDIENCE is not set; AUTH_MODE=iap needs it: the audience of IAP's signed header.")
    return settings


S = TypeVar("S", bound=Settings)


def _read(
    kind: type[S],
    table: tuple[Setting, ...],
    environ: Mapping[str, str],
    needs: Callable[[Setting], bool] = lambda _: True,
) -> S:
    _refuse_emulators_in_production(environ)
    values = {row.name.lower(): _value(row, environ, needs(row)) for row in table}
    return kind(**{field.name: values[field.name] for field in fields(kind)})


def _value(row: Setting, environ: Mapping[str, str], needed: bool) -> Any:
    raw = environ.get(row.name, "").strip() or row.default
    if raw is None and not needed:
        return row.empty
    if raw is None:
        raise SettingsError(f"{row.name} is not set; it has no default: {row.meaning}.")
    try:
        return row.parse(raw)
    except ValueError as exc:
        found = "a value" if row.name in _HIDDEN else repr(raw)
        raise SettingsError(f"{row.name} is {found}; wanted: {exc}.") from exc


def behind_front_end(environ: Mapping[str, str]) -> bool:
    """Whether Google's front end stands before this process: it alone may then say which scheme and client it was."""
    # K_SERVICE is set by Cloud Run and Cloud Functions (cloud.google.com/run/docs/container-contract#env-vars).
    return bool(environ.get("K_SERVICE"))


def _refuse_emulators_in_production(environ: Mapping[str, str]) -> None:
    if not behind_front_end(environ):
        return
    for row in EMULATORS:
        if environ.get(row.name):
            raise SettingsError(f"{row.name} is set on Cloud Run; it belongs to a developer's machine. Remove it.")
