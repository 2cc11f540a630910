"""Some random steps of each role; ``make random-steps`` takes two thousand."""

from typing import TYPE_CHECKING

import pytest

from infra.accounts.user import Role
from tests.support.browser.random_walk import RandomWalk
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STEPS = 25


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_random_steps_cause_no_trouble(chromium: "Browser", cloud: Cloud, role: Role) -> None:
    context = chromium.new_context()
    walk = RandomWalk(context, cloud, role, seed=1)
    for _ in range(STEPS):
        walk.step()
    context.close()
    assert not walk.troubles
