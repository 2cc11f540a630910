"""Fixtures: terraform, and three plans of the module."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.applied import LEAST, Applied
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.runner import PROJECT, Terraform, checkers, find_terraform

EVERYTHING = f"""
project        = "{PROJECT}"
message_shards = 4
masked_fields  = ["email", "data.card.number"]
links = {{ "data.user.id" = "https://crm.example.com/?user={{value}}", order_id = "https://example.com/{{value}}" }}
publish_topics = ["orders"]
subscriptions = {{
  events = {{ topic = "projects/elsewhere/topics/events", monitor_dead_letters = true }}
  orders = {{ topic = "orders", filter = "attributes.kind = \\"order\\"", ordering = true, retention_days = 31 }}
}}
viewer = {{ access = "iap", members = ["group:ops@example.com"] }}
alerts = {{ emails = ["ops@example.com"] }}
budget = {{ billing_account = "012345-ABCDEF-678901", amount = 100 }}
deploy = {{
  state_bucket = "my-state"
  repository   = "projects/{PROJECT}/locations/europe-west1/connections/github/repositories/subscope"
}}
firestore         = {{ delete_protection = false, location = "eur3" }}
keep_request_logs = true
"""
PRIVATE = f"""
project = "{PROJECT}"
viewer  = {{ access = "private", members = ["user:operator@example.com"] }}

firestore = {{ daily_backup_days = 0 }}
"""
KEY = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
# A company with a key, a load balancer, a network, and accounts and roles that exist.
COMPANY = f"""
project        = "{PROJECT}"
enable_apis    = false
kms_key        = "{KEY}"
labels         = {{ team = "ops" }}
alerts         = {{ emails = ["ops@example.com"] }}
firestore      = {{ daily_backup_days = 14, weekly_backup_weeks = 4, point_in_time_recovery = true }}
subscriptions  = {{ orders = {{ topic = "orders", start_running = true }} }}
publish_topics = ["orders"]
deploy = {{
  state_bucket = "my-state"
  repository   = "projects/{PROJECT}/locations/europe-west1/connections/github/repositories/subscope"
}}
viewer = {{
  access    = "iap"
  addresses = ["https://subscope.example.com", "https://monitor.example.com"]
  ingress   = "load_balancer"
  members   = ["group:ops@example.com"]
}}
vpc_access = {{ network = "shared", subnetwork = "services", egress = "all", tags = ["subscope"] }}
roles = {{
  backlog  = "roles/monitoring.viewer"
  delivery = "roles/pubsub.editor"
  receiver = "roles/datastore.user"
  viewer   = "roles/datastore.user"
}}
service_accounts = {{
  build    = "ci-build@{PROJECT}.iam.gserviceaccount.com"
  deployer = "ci-apply@{PROJECT}.iam.gserviceaccount.com"
  planner  = "ci-plan@{PROJECT}.iam.gserviceaccount.com"
  push     = "our-push@{PROJECT}.iam.gserviceaccount.com"
  receiver = "our-receiver@{PROJECT}.iam.gserviceaccount.com"
  viewer   = "our-viewer@{PROJECT}.iam.gserviceaccount.com"
}}
"""


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform, initialised for the module."""
    return find_terraform(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def plan(terraform: Terraform) -> dict[str, Any]:
    """The plan with the project as the only variable."""
    return terraform.plan("least", f'project = "{PROJECT}"')


@pytest.fixture(scope="session")
def full_plan(terraform: Terraform) -> dict[str, Any]:
    """The plan with every feature."""
    return terraform.plan("everything", EVERYTHING)


@pytest.fixture(scope="session")
def private_plan(terraform: Terraform) -> dict[str, Any]:
    """The plan with a viewer that only members can reach."""
    return terraform.plan("private", PRIVATE)


@pytest.fixture(scope="session")
def applied(terraform: Terraform) -> Applied:
    """A deployment with the project and the viewer's image as the only variables; change a copy of it."""
    if not terraform.plans:
        pytest.skip("an apply would ask Google")
    deployment = Applied(terraform, terraform.state("applied"), ExistingResources())
    deployment.run("apply", LEAST, "-auto-approve")
    return deployment


@pytest.fixture(scope="session")
def company_plan(terraform: Terraform) -> dict[str, Any]:
    """The plan of a company with a key, a load balancer, a network, and accounts and roles that exist."""
    return terraform.plan("company", COMPANY)


@pytest.fixture(scope="session")
def programs() -> Path:
    """The directory of checkov, hadolint and a Python with a PromQL parser."""
    return checkers()
