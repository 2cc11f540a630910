"""Fixtures: terraform, and three plans of the module."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.terraform.applied import LEAST, Applied
from tests.support.terraform.offline.existing import ExistingResources
from tests.support.terraform.runner import PROJECT, Terraform, checkers, find_terraform
from tests.support.terraform.variables import COMPANY, EVERYTHING, PRIVATE


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
