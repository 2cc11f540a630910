"""A customer-managed key encrypts everything that stores something, and Google's agents may use it."""

from typing import Any

import pytest

from tests.support.terraform.grants import grants
from tests.support.terraform.plan import dependencies, waits_for
from tests.support.terraform.runner import NUMBER, PROJECT, Terraform, values
from tests.support.terraform.variables import KEY

GRANT = "google_kms_crypto_key_iam_member.agents"
EUROPE = "projects/keys/locations/europe/keyRings/ring/cryptoKeys/key"
# By resource: the path of the attribute that names its key.
ENCRYPTED: dict[str, tuple[str, ...]] = {
    "google_artifact_registry_repository.images": ("kms_key_name",),
    "google_cloud_run_v2_service.viewer": ("template", "encryption_key"),
    "google_cloudfunctions2_function.receiver": ("kms_key_name",),
    "google_firestore_database.this[0]": ("cmek_config", "kms_key_name"),
    'google_pubsub_topic.dead_letter["orders"]': ("kms_key_name",),
    'google_pubsub_topic.monitored["orders"]': ("kms_key_name",),
    **{
        f'google_secret_manager_secret.secret["{name}"]': (
            *("replication", "user_managed", "replicas", "customer_managed_encryption"),
            "kms_key_name",
        )
        for name in ("admin-password", "receiver-settings", "session-key")
    },
    "google_storage_bucket.source": ("encryption", "default_kms_key_name"),
}
# The service agents that use it, by their domain.
AGENTS = (
    *("gcf-admin-robot", "gcp-sa-artifactregistry", "gcp-sa-firestore", "gcp-sa-pubsub", "gcp-sa-secretmanager"),
    *("gs-project-accounts", "serverless-robot-prod"),
)


def key_of(plan: dict[str, Any], address: str) -> str | None:
    """Return the key of a planned resource; None without one."""
    *blocks, attribute = ENCRYPTED[address]
    held: dict[str, Any] = values(plan, address)
    for block in blocks:
        if not held.get(block):
            return None
        (held,) = held[block]
    return held[attribute] or None


def agent(domain: str) -> str:
    return f"serviceAccount:service-{NUMBER}@{domain}.iam.gserviceaccount.com"


def test_everything_that_stores_something_has_the_key(company_plan: dict[str, Any]) -> None:
    assert {address: key_of(company_plan, address) for address in ENCRYPTED} == dict.fromkeys(ENCRYPTED, KEY)


def test_no_resource_has_a_key_by_default(plan: dict[str, Any]) -> None:
    held = [address for address in ENCRYPTED if "orders" not in address and key_of(plan, address)]
    assert held == []
    assert not [grant for grant in grants(plan) if grant[1].startswith("roles/cloudkms")]


def test_googles_agents_may_use_the_key_and_no_other_account_may(company_plan: dict[str, Any]) -> None:
    users = {
        (member, role, on) for member, role, on, _ in grants(company_plan) if "cloudkms" in role or on == "key key"
    }
    assert users == {(agent(domain), "roles/cloudkms.cryptoKeyEncrypterDecrypter", "key key") for domain in AGENTS}


def test_encrypted_resources_wait_for_the_grant_of_the_key(terraform: Terraform) -> None:
    """Google refuses to create them otherwise."""
    graph = dependencies(terraform)
    early = {address for address in ENCRYPTED if GRANT not in waits_for(graph, address.partition("[")[0])}
    assert early == set()


def test_grants_wait_for_the_agents(terraform: Terraform) -> None:
    """Google creates an agent on request, and accepts no grant to one that it has not created."""
    storage = "data.google_storage_project_service_account.agent"
    assert {"google_project_service_identity.agents", storage} <= waits_for(dependencies(terraform), GRANT)


def test_database_elsewhere_has_a_key_of_its_location_and_grants_can_be_another_persons_task(
    terraform: Terraform,
) -> None:
    variables = f'project = "{PROJECT}"\nkms_key = "{KEY}"\n'
    firestore = f'firestore = {{ location = "eur3", kms_key = "{EUROPE}" }}\n'
    planned = terraform.plan("elsewhere", f"{variables}{firestore}kms_key_grants = false\n")
    assert key_of(planned, "google_firestore_database.this[0]") == EUROPE
    assert key_of(planned, "google_storage_bucket.source") == KEY
    assert not [grant for grant in grants(planned) if grant[1].startswith("roles/cloudkms")]


def test_key_in_another_location_than_the_database_is_refused_in_the_plan(terraform: Terraform) -> None:
    if not terraform.plans:
        pytest.skip("a plan would ask Google")
    options = [f"-var=project={PROJECT}", f"-var=kms_key={KEY}", '-var=firestore={location="eur3"}']
    refused = terraform.run("plan", "-input=false", "-no-color", *options, ok=(1,)).stderr
    assert "The database is in another location than kms_key" in " ".join(refused.split())
