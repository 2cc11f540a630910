"""From where the viewer is reachable, and through which network both services send their requests."""

from typing import Any

import pytest

from infra.settings import ViewerSettings, viewer_settings
from tests.support.terraform.plan import viewer_variables
from tests.support.terraform.runner import NUMBER, PROJECT, Terraform, values

VIEWER, RECEIVER = "google_cloud_run_v2_service.viewer", "google_cloudfunctions2_function.receiver"
RUN_APP = f"https://subscope-viewer-{NUMBER}.europe-west1.run.app"


def settings_in(plan: dict[str, Any]) -> ViewerSettings:
    plain = {variable["name"]: variable["value"] for variable in viewer_variables(plan) if not variable["value_source"]}
    return viewer_settings({**plain, "SECRET_KEY": "x" * 64, "ADMIN_PASSWORD": ""})


def url_of(plan: dict[str, Any]) -> str:
    url: str = plan["planned_values"]["outputs"]["viewer_url"]["value"]
    return url


def test_viewer_is_reachable_from_everywhere_by_default(plan: dict[str, Any]) -> None:
    service = values(plan, VIEWER)
    assert (service["ingress"], service["default_uri_disabled"]) == ("INGRESS_TRAFFIC_ALL", False)
    settings = settings_in(plan)
    assert (settings.trusted_proxies, settings.public_addresses, url_of(plan)) == (1, (), RUN_APP)


def test_viewer_behind_a_load_balancer_has_its_domain_alone(company_plan: dict[str, Any]) -> None:
    service = values(company_plan, VIEWER)
    # A client that passed by the load balancer could choose the address that sign-in limits count.
    assert (service["ingress"], service["default_uri_disabled"]) == ("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", True)
    settings = settings_in(company_plan)
    assert settings.public_addresses == ("https://subscope.example.com", "https://monitor.example.com")
    assert (settings.trusted_proxies, url_of(company_plan)) == (2, "https://subscope.example.com")
    # Identity-Aware Proxy signs for the service, also behind a load balancer.
    assert settings.iap_audience == f"/projects/{NUMBER}/locations/europe-west1/services/subscope-viewer"


def test_smoke_test_behind_a_load_balancer_asks_its_domain(company_plan: dict[str, Any]) -> None:
    script = company_plan["planned_values"]["outputs"]["smoke_test"]["value"]
    assert f"\"$(status '{RUN_APP}/ready')\" 404" in script
    assert "\"$(status 'https://subscope.example.com/ready')\" 302" in script
    assert 'Now open https://subscope.example.com"\n' in script


INTERNAL = f"""
project    = "{PROJECT}"
viewer     = {{ access = "private", members = ["user:operator@example.com"], ingress = "internal" }}
vpc_access = {{ subnetwork = "projects/host/regions/europe-west1/subnetworks/services" }}
"""


@pytest.fixture(scope="module")
def internal_plan(terraform: Terraform) -> dict[str, Any]:
    return terraform.plan("internal", INTERNAL)


def test_internal_viewer_admits_the_projects_networks(internal_plan: dict[str, Any]) -> None:
    service = values(internal_plan, VIEWER)
    assert (service["ingress"], service["default_uri_disabled"]) == ("INGRESS_TRAFFIC_INTERNAL_ONLY", False)
    assert (settings_in(internal_plan).trusted_proxies, url_of(internal_plan)) == (1, RUN_APP)
    script = internal_plan["planned_values"]["outputs"]["smoke_test"]["value"]
    assert f"\"$(status '{RUN_APP}/ready')\" 404" in script
    assert "print-identity-token" not in script


def test_more_proxies_can_be_trusted_behind_a_load_balancer(terraform: Terraform) -> None:
    viewer = '{ ingress = "load_balancer", addresses = ["https://subscope.example.com"], trusted_proxies = 3 }'
    planned = terraform.plan("proxies", f'project = "{PROJECT}"\nviewer = {viewer}')
    assert settings_in(planned).trusted_proxies == 3


@pytest.mark.parametrize(
    ("which", "network", "subnetwork", "tags", "receiver", "viewer"),
    [
        ("company_plan", "shared", "services", ["subscope"], "VPC_EGRESS_ALL_TRAFFIC", "ALL_TRAFFIC"),
        (
            "internal_plan",
            None,
            "projects/host/regions/europe-west1/subnetworks/services",
            [],
            "VPC_EGRESS_PRIVATE_RANGES_ONLY",
            "PRIVATE_RANGES_ONLY",
        ),
    ],
)
def test_both_services_send_through_the_network(
    request: pytest.FixtureRequest,
    which: str,
    network: str | None,
    subnetwork: str,
    tags: list[str],
    receiver: str,
    viewer: str,
) -> None:
    planned = request.getfixturevalue(which)
    function = values(planned, RECEIVER)["service_config"][0]
    (service,) = values(planned, VIEWER)["template"][0]["vpc_access"]
    assert (function["direct_vpc_egress"], service["egress"]) == (receiver, viewer)
    for (interface,) in (function["direct_vpc_network_interface"], service["network_interfaces"]):
        assert (interface.get("network"), interface["subnetwork"], interface["tags"] or []) == (
            network,
            subnetwork,
            tags,
        )


def test_services_use_no_network_by_default(plan: dict[str, Any]) -> None:
    function = values(plan, RECEIVER)["service_config"][0]
    assert function["direct_vpc_network_interface"] == []
    assert function.get("direct_vpc_egress") is None
    assert values(plan, VIEWER)["template"][0]["vpc_access"] == []
