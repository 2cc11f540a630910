"""The services get exactly the settings that they read, and accept them; no secret is in a plan or a state."""

import json
import runpy
from collections.abc import Iterator
from typing import Any

import pytest

from infra.settings import COMMON, GOOGLE_CERTS_URL, RECEIVER, VIEWER, receiver_settings, viewer_settings
from tests.support.terraform.applied import LEAST, Applied
from tests.support.terraform.plan import receiver_environment, settings_file, viewer_variables
from tests.support.terraform.runner import NUMBER, PROJECT, ROOT, resources, values

URL = f"https://subscope-receiver-{NUMBER}.europe-west1.run.app"
SECRETS = {"ADMIN_PASSWORD", "SECRET_KEY"}
# The offline provider's value of a random password.
EPHEMERAL = "stub-result"


def names(*tables: tuple[Any, ...]) -> set[str]:
    return {row.name for table in tables for row in table}


def viewer_environment(plan: dict[str, Any]) -> dict[str, str]:
    plain = {variable["name"]: variable["value"] for variable in viewer_variables(plan) if not variable["value_source"]}
    return {**plain, **dict.fromkeys(SECRETS, "x" * 64)}


def test_receiver_gets_exactly_its_settings(plan: dict[str, Any]) -> None:
    environment, file = receiver_environment(plan), settings_file(plan)
    assert {*environment, *file} == names(COMMON, RECEIVER)
    assert not environment.keys() & file.keys()
    service = values(plan, "google_cloudfunctions2_function.receiver")["service_config"][0]
    (volume,) = service["secret_volumes"]
    (newest,) = volume["versions"]
    assert (volume["secret"], newest["version"]) == ("subscope-receiver-settings", "latest")
    assert environment["SETTINGS_FILE"] == f"{volume['mount_path']}/{newest['path']}"
    settings = receiver_settings({**environment, **file, "K_SERVICE": "subscope-receiver"})
    assert settings.google_cloud_project == PROJECT
    assert settings.subscriptions == ("builds-monitor",)
    # Cloud Run's check of callers wants the address as the audience.
    assert (settings.push_audience, settings.signature_check) == ((URL,), "platform")
    assert settings.push_service_account == f"subscope-push@{PROJECT}.iam.gserviceaccount.com"
    assert settings.oidc_certs_url == GOOGLE_CERTS_URL


def test_viewer_gets_exactly_its_settings(plan: dict[str, Any]) -> None:
    assert {variable["name"] for variable in viewer_variables(plan)} == names(COMMON, VIEWER)
    settings = viewer_settings(viewer_environment(plan))
    assert (settings.push_endpoint, settings.auth_mode, settings.max_streams) == (URL, "password", 250)


def test_private_viewer_knows_the_addresses_of_the_proxy(
    plan: dict[str, Any], full_plan: dict[str, Any], private_plan: dict[str, Any]
) -> None:
    plans = (plan, full_plan, private_plan)
    known = [viewer_settings(viewer_environment(any_plan)).local_addresses for any_plan in plans]
    assert known == [(), (), ("http://localhost:8080", "http://127.0.0.1:8080")]


def test_secrets_come_from_secret_manager(plan: dict[str, Any]) -> None:
    from_secrets = {variable["name"] for variable in viewer_variables(plan) if variable["value_source"]}
    assert from_secrets == SECRETS


def test_common_settings_of_both_services_are_equal(full_plan: dict[str, Any]) -> None:
    receiver = {**receiver_environment(full_plan), **settings_file(full_plan)}
    viewer = viewer_environment(full_plan)
    assert {name: receiver[name] for name in names(COMMON)} == {name: viewer[name] for name in names(COMMON)}
    settings = viewer_settings(viewer)
    assert settings.auth_mode == "iap"
    assert settings.iap_audience == f"/projects/{NUMBER}/locations/europe-west1/services/subscope-viewer"
    assert set(settings.masked_fields) == {"email", "data.card.number"}
    assert [(link.name, link.host) for link in settings.links] == [
        ("data.user.id", "crm.example.com"),
        ("order_id", "example.com"),
    ]
    assert (settings.message_shards, settings.subscriptions) == (4, ("events", "events-dead-letter-monitor", "orders"))


def test_instance_accepts_as_many_requests_as_it_has_threads(
    plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_STREAMS", viewer_environment(plan)["MAX_STREAMS"])
    gunicorn = runpy.run_path(str(ROOT / "web/gunicorn.conf.py"))
    template = values(plan, "google_cloud_run_v2_service.viewer")["template"][0]
    assert template["max_instance_request_concurrency"] == gunicorn["threads"]
    assert template["timeout"] == "3600s"


def strings(value: object) -> Iterator[tuple[str, object]]:
    """Yield every key of a JSON value with its value, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def test_no_secret_is_in_the_plan(full_plan: dict[str, Any]) -> None:
    assert EPHEMERAL not in json.dumps(full_plan)
    hidden = {"secret_data", "secret_data_wo", "result", "bcrypt_hash", "private_key"}
    planned = strings([entry["values"] for entry in resources(full_plan)])
    assert [(key, value) for key, value in planned if key in hidden and value is not None] == []


def test_applied_state_has_no_secret_and_needs_no_change(applied: Applied) -> None:
    kept = applied.state.read_text()
    assert EPHEMERAL not in kept
    assert "subscope-session-key" in kept
    applied.run("plan", LEAST, "-detailed-exitcode")
