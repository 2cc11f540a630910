"""The settings that a service reads from its environment, and the messages for wrong ones."""

from collections.abc import Callable, Mapping

import pytest

from infra.errors import SettingsError
from infra.settings import COMMON, GOOGLE_CERTS_URL, RECEIVER, VIEWER, receiver_settings, viewer_settings

RECEIVER_ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "p",
    "PUSH_AUDIENCE": "https://a.example, https://b.example",
    "PUSH_SERVICE_ACCOUNT": "push@p.iam.gserviceaccount.com",
    "SUBSCRIPTIONS": "builds, releases",
}
VIEWER_ENVIRONMENT = {**RECEIVER_ENVIRONMENT, "PUSH_ENDPOINT": "https://r.example", "SECRET_KEY": "x" * 32}


def test_receiver_needs_little() -> None:
    settings = receiver_settings(RECEIVER_ENVIRONMENT)
    assert settings.google_cloud_project == "p"
    assert settings.firestore_database == "(default)"
    assert (settings.message_shards, settings.retention_days) == (1, 7)
    assert settings.push_audience == ("https://a.example", "https://b.example")
    assert settings.subscriptions == ("builds", "releases")
    assert settings.oidc_certs_url == GOOGLE_CERTS_URL
    assert settings.subscription_path("builds") == "projects/p/subscriptions/builds"


@pytest.mark.parametrize("name", [row.name for row in (*COMMON, *RECEIVER, *VIEWER) if row.default is None])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_setting_is_named_with_its_meaning(name: str, value: str | None) -> None:
    environment = {key: held for key, held in VIEWER_ENVIRONMENT.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsError, match=f"^{name} is not set; it has no default: "):
        viewer_settings(environment)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MESSAGE_SHARDS", "0", "a whole number from 1 to 30"),
        ("MESSAGE_SHARDS", "31", "a whole number from 1 to 30"),
        ("MESSAGE_SHARDS", "two", "a whole number from 1 to 30"),
        ("MESSAGE_SHARDS", "1.5", "a whole number from 1 to 30"),
        ("MESSAGE_SHARDS", "٣", "a whole number from 1 to 30"),
        ("SUBSCRIPTIONS", ",", "at least one, separated by commas"),
        ("PUSH_AUDIENCE", ",", "at least one, separated by commas"),
        ("RETENTION_DAYS", "-1", "a whole number from 1 to 3650"),
        ("RETENTION_DAYS", "9" * 5000, "a whole number from 1 to 3650"),
        ("PUSH_SERVICE_ACCOUNT", "push", "a service account's e-mail address"),
        ("SUBSCRIPTIONS", "projects/p/subscriptions/s", "subscription ids separated by commas"),
        ("SUBSCRIPTIONS", "1st", "subscription ids separated by commas"),
        ("LOG_LEVEL", "verbose", "one of DEBUG, INFO"),
    ],
)
@pytest.mark.parametrize("read", [receiver_settings, viewer_settings])
def test_wrong_setting_says_what_was_found_and_what_is_wanted(
    read: Callable[[Mapping[str, str]], object], name: str, value: str, wanted: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read({**VIEWER_ENVIRONMENT, name: value})
    assert str(caught.value).startswith(f"{name} is {value!r}; wanted: ")
    assert wanted in str(caught.value)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://keys.example/certs", True),
        ("http://127.0.0.1:8085/certs", True),
        ("http://localhost/certs", True),
        ("http://[::1]:1/certs", True),
        ("http://keys.example/certs", False),
        ("http://127.0.0.1.example/certs", False),
        ("ftp://keys.example", False),
        ("https://", False),
        ("https://[", False),
        ("https://[zz]/certs", False),
        ("file:///etc/passwd", False),
    ],
)
def test_keys_come_by_https_or_from_this_machine(url: str, allowed: bool) -> None:
    environment = {**RECEIVER_ENVIRONMENT, "OIDC_CERTS_URL": url}
    if allowed:
        assert receiver_settings(environment).oidc_certs_url == url
        return
    with pytest.raises(SettingsError, match="OIDC_CERTS_URL"):
        receiver_settings(environment)


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", "hunter2hunter2"), ("ADMIN_PASSWORD", "hunter2")])
def test_wrong_secret_is_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        viewer_settings({**VIEWER_ENVIRONMENT, name: value})
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_iap_needs_its_audience() -> None:
    with pytest.raises(SettingsError, match="IAP_AUDIENCE"):
        viewer_settings({**VIEWER_ENVIRONMENT, "AUTH_MODE": "iap"})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("TRUSTED_PROXIES", "0", "a whole number from 1 to 9"),
        ("TRUSTED_PROXIES", "10", "a whole number from 1 to 9"),
        ("TRUSTED_PROXIES", "two", "a whole number from 1 to 9"),
        ("PUBLIC_ADDRESSES", "subscope.example.com", "'subscope.example.com' is not one"),
        ("PUBLIC_ADDRESSES", "http://subscope.example.com", "'http://subscope.example.com' is not one"),
        ("PUBLIC_ADDRESSES", "https://a.example,https://b.example/", "'https://b.example/' is not one"),
        ("PUBLIC_ADDRESSES", "https://user@a.example", "'https://user@a.example' is not one"),
        ("PUBLIC_ADDRESSES", "https://*.example.com", "'https://*.example.com' is not one"),
    ],
)
def test_wrong_setting_of_the_viewers_address_is_refused(name: str, value: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        viewer_settings({**VIEWER_ENVIRONMENT, name: value})
    assert str(caught.value).startswith(f"{name} is {value!r}; wanted: ")
    assert wanted in str(caught.value)


def test_viewer_is_behind_one_proxy_and_answers_for_every_host_by_default() -> None:
    settings = viewer_settings(VIEWER_ENVIRONMENT)
    assert (settings.trusted_proxies, settings.public_addresses) == (1, ())


def test_viewer_is_opened_through_a_proxy_or_at_its_domain() -> None:
    addresses = {"LOCAL_ADDRESSES": "http://localhost:8080", "PUBLIC_ADDRESSES": "https://subscope.example.com"}
    with pytest.raises(SettingsError, match=r"LOCAL_ADDRESSES and PUBLIC_ADDRESSES are both set; .* Remove one"):
        viewer_settings({**VIEWER_ENVIRONMENT, **addresses})


@pytest.mark.parametrize("name", ["FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BACKLOG_URL"])
def test_deployed_service_refuses_an_emulator(name: str) -> None:
    address = "http://127.0.0.1:8080/backlog" if name.endswith("URL") else "127.0.0.1:8080"
    environment = {**RECEIVER_ENVIRONMENT, name: address}
    receiver_settings(environment)
    with pytest.raises(SettingsError, match=name):
        receiver_settings({**environment, "K_SERVICE": "receiver"})


def test_deployed_receiver_takes_keys_from_google_alone() -> None:
    deployed = {**RECEIVER_ENVIRONMENT, "K_SERVICE": "receiver"}
    assert receiver_settings({**deployed, "OIDC_CERTS_URL": GOOGLE_CERTS_URL}).oidc_certs_url == GOOGLE_CERTS_URL
    with pytest.raises(SettingsError, match=r"^OIDC_CERTS_URL is .* forge every token"):
        receiver_settings({**deployed, "OIDC_CERTS_URL": "https://keys.example/certs"})


def test_platform_checks_signatures_on_cloud_run_and_in_the_local_cloud_alone() -> None:
    assert receiver_settings(RECEIVER_ENVIRONMENT).signature_check == "receiver"
    environment = {**RECEIVER_ENVIRONMENT, "SIGNATURE_CHECK": "platform"}
    for place in ({"K_SERVICE": "receiver"}, {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}):
        assert receiver_settings({**environment, **place}).signature_check == "platform"
    with pytest.raises(SettingsError, match=r"^SIGNATURE_CHECK is 'platform' outside of Cloud Run"):
        receiver_settings(environment)


def test_unknown_signature_check_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^SIGNATURE_CHECK is 'none'; wanted: one of receiver, platform"):
        receiver_settings({**RECEIVER_ENVIRONMENT, "SIGNATURE_CHECK": "none"})
