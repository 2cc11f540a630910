"""The settings of both services: the only module that knows the names of environment variables.

A required setting has no default: without it, a service names it and does not start. The error for a wrong setting
names the value found and the value wanted. Tests compare the ``Setting`` rows with the table in docs/settings.md and
with terraform's environment blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from infra.errors import SettingsError
from infra.logs import Severity
from infra.settings.link_templates import LinkTemplate, link_templates
from infra.settings.parsers import (
    Setting,
    any_text,
    between,
    email_address,
    local_addresses,
    loopback_url,
    masked_fields,
    one_of,
    password_text,
    public_addresses,
    secret_text,
    secure_url,
    several,
    subscription_ids,
)

AuthMode = Literal["password", "iap"]
SignatureCheck = Literal["receiver", "platform"]
GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v1/certs"

_HIDDEN = frozenset({"SECRET_KEY", "ADMIN_PASSWORD"})

COMMON = (
    Setting("GOOGLE_CLOUD_PROJECT", None, any_text, "the project id"),
    Setting("FIRESTORE_DATABASE", "(default)", any_text, "the Firestore database's id"),
    Setting(
        "MESSAGE_SHARDS",
        "1",
        between(1, 30),
        "index ranges that new messages spread over; each takes about 500 writes/s",
    ),
    Setting("RETENTION_DAYS", "7", between(1, 3650), "days until Firestore deletes a message"),
    Setting(
        "PUSH_AUDIENCE", None, several, "the audience a push token must name; several by commas, Start uses the first"
    ),
    Setting("PUSH_SERVICE_ACCOUNT", None, email_address, "the service account a push token must be signed for"),
    Setting(
        "SUBSCRIPTIONS", None, subscription_ids, "ids of the monitored subscriptions in this project, by commas", ()
    ),
    Setting("LOG_LEVEL", "INFO", one_of(*get_args(Severity)), "the least severe event that is logged"),
)
RECEIVER = (
    Setting("OIDC_CERTS_URL", GOOGLE_CERTS_URL, secure_url, "where Google's signing certificates are fetched"),
    Setting(
        "SIGNATURE_CHECK",
        "receiver",
        one_of(*get_args(SignatureCheck)),
        "`receiver`, or `platform` where Cloud Run lets only the push account in and may remove the signature",
    ),
    Setting("SETTINGS_FILE", "", any_text, "a JSON file with four of these settings, read again every minute"),
)
VIEWER = (
    Setting("PUSH_ENDPOINT", None, secure_url, "the receiver's address, which Start sets on the subscription"),
    Setting("SECRET_KEY", None, secret_text, "signs forms; at least 32 random bytes"),
    Setting("AUTH_MODE", "password", one_of(*get_args(AuthMode)), "`password`, or `iap` behind Identity-Aware Proxy"),
    Setting("IAP_AUDIENCE", "", any_text, "the audience of IAP's signed header; required with AUTH_MODE=iap"),
    Setting("ADMIN_PASSWORD", "", password_text, "the first admin's password; generated and logged once when empty"),
    Setting(
        "MAX_STREAMS",
        "250",
        between(1, 1000),
        "live streams one viewer process serves, a quarter of them or ten for one person; more get 503",
    ),
    Setting("ENVIRONMENT_LABEL", "", any_text, "shown in the header, for example PROD"),
    Setting(
        "MASKED_FIELDS",
        "",
        masked_fields,
        "attributes, `ordering_key` and `data.` paths that the role viewer sees as •••; several by commas",
    ),
    Setting(
        "LINKS",
        "",
        link_templates,
        "links from values of messages to your own pages, `NAME = https://HOST/{value}`; several by lines or commas",
    ),
    Setting(
        "LOCAL_ADDRESSES",
        "",
        local_addresses,
        "where browsers open a viewer that only `gcloud run services proxy` reaches; several by commas",
    ),
    Setting(
        "PUBLIC_ADDRESSES",
        "",
        public_addresses,
        "where browsers open a viewer with its own domain; other hosts get 421; several by commas",
    ),
    Setting(
        "TRUSTED_PROXIES",
        "1",
        between(1, 9),
        "proxies before the viewer that append to X-Forwarded-For: 1 on run.app, 2 behind a load balancer",
    ),
)
# Local replacements for Google; Google's clients also read the two hosts. A deployed service refuses them.
EMULATORS = (
    Setting("FIRESTORE_EMULATOR_HOST", "", any_text, "host:port of a local Firestore; never set in production"),
    Setting("PUBSUB_EMULATOR_HOST", "", any_text, "host:port of a local Pub/Sub; never set in production"),
    Setting("BACKLOG_URL", "", loopback_url, "the backlog endpoint of a local Pub/Sub; never set in production"),
)


@dataclass(frozen=True)
class Settings:
    """The settings of both services."""

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
        """Return the full name of a subscription: ``projects/P/subscriptions/S``."""
        return f"projects/{self.google_cloud_project}/subscriptions/{subscription}"


@dataclass(frozen=True)
class ReceiverSettings(Settings):
    """The settings of the receiver."""

    oidc_certs_url: str
    signature_check: SignatureCheck
    settings_file: str


@dataclass(frozen=True)
class ViewerSettings(Settings):
    """The settings of the viewer."""

    push_endpoint: str
    secret_key: str
    auth_mode: AuthMode
    iap_audience: str
    admin_password: str
    max_streams: int
    environment_label: str
    masked_fields: tuple[str, ...]
    links: tuple[LinkTemplate, ...]
    local_addresses: tuple[str, ...]
    public_addresses: tuple[str, ...]
    trusted_proxies: int
    backlog_url: str


@dataclass(frozen=True)
class ConsoleSettings(Settings):
    """The settings of a command. Those that it does not need may be missing and are then empty."""

    push_endpoint: str


def console_settings(environ: Mapping[str, str], *needed: str) -> ConsoleSettings:
    """Read a command's settings. Required are the project and those named in ``needed``.

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
            "the owner of that server can forge every token. Remove it."
        )
    if settings.signature_check == "platform" and not (behind_front_end(environ) or settings.firestore_emulator_host):
        raise SettingsError(
            "SIGNATURE_CHECK is 'platform' outside of Cloud Run, where nothing checks tokens before the receiver; "
            "every caller can forge one. Remove it."
        )
    return settings


def viewer_settings(environ: Mapping[str, str]) -> ViewerSettings:
    """Read the viewer's settings. Raises SettingsError naming the first variable that is missing or wrong."""
    settings = _read(ViewerSettings, (*COMMON, *EMULATORS, *VIEWER), environ)
    if settings.auth_mode == "iap" and not settings.iap_audience:
        raise SettingsError("IAP_AUDIENCE is not set; AUTH_MODE=iap needs it: the audience of IAP's signed header.")
    if settings.local_addresses and settings.public_addresses:
        raise SettingsError(
            "LOCAL_ADDRESSES and PUBLIC_ADDRESSES are both set; browsers reach a viewer through gcloud's proxy "
            "or at its own domain. Remove one."
        )
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
        shown = "a value" if row.name in _HIDDEN else repr(raw)
        raise SettingsError(f"{row.name} is {shown}; wanted: {exc}.") from exc


def behind_front_end(environ: Mapping[str, str]) -> bool:
    """Return whether requests come through Google's front end, which then sets the scheme and the client's address."""
    # K_SERVICE is set by Cloud Run and Cloud Functions (cloud.google.com/run/docs/container-contract#env-vars).
    return bool(environ.get("K_SERVICE"))


def _refuse_emulators_in_production(environ: Mapping[str, str]) -> None:
    for row in EMULATORS if behind_front_end(environ) else ():
        if environ.get(row.name):
            raise SettingsError(f"{row.name} is set on Cloud Run; it belongs to a developer's machine. Remove it.")
