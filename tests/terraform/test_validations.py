"""Each of the variables' validations refuses what it is there for: a value that only this one objects to."""

import re
from collections.abc import Iterator

import pytest

from tests.terraform.stage import MODULE, Terraform

WRONG = {
    "alerts": [
        '{ emails = ["nobody"] }',
        "{ failing_push_share = 1 }",
        "{ lag_minutes = 0 }",
        "{ retention_share = 1 }",
    ],
    "budget": [
        '{ billing_account = "mine", amount = 100 }',
        '{ billing_account = "012345-ABCDEF-678901", amount = 0.5 }',
    ],
    "deploy": ['{ state_bucket = "b", repository = "github.com/me/it" }'],
    "firestore": ['{ database = "UPPER" }'],
    "log_level": ['"LOUD"'],
    "message_shards": ["31"],
    "name": ['"a-name-of-21-letters-"'],
    "project": ['"123456789012"'],
    "publish_topics": ['["elsewhere"]'],
    "push_audiences": ['["https://subscope-receiver-1.europe-west1.run.app"]'],
    "receiver": ["{ concurrency = 1 }", '{ cpu = "0.5" }', "{ min_instances = 11 }"],
    "region": ['"Europe"'],
    "retention_days": ["0.5"],
    "subscriptions": [
        "{}",
        '{ google-orders = { topic = "orders" } }',
        '{ orders = { topic = "projects/other/orders" } }',
        '{ orders = { topic = "orders", ack_deadline_seconds = 10 } }',
        '{ orders = { topic = "orders", max_delivery_attempts = 4 } }',
        '{ orders = { topic = "orders", retention_days = 32 } }',
        '{ orders = { topic = "orders", retry_minimum_seconds = 400 } }',
    ],
    "viewer": [
        '{ access = "everybody", members = ["user:ana@example.com"] }',
        '{ access = "private" }',
        '{ members = ["ana@example.com"] }',
        "{ max_streams = 985 }",
        "{ max_instances = 0 }",
    ],
    "viewer_image": ['"viewer:latest"'],
}
# It looks at the subscriptions, which must be right for that.
ALONE = "publish_topics"
TURNS = [
    {name: turn for name, values in WRONG.items() if turn < len(values) and name != ALONE}
    for turn in range(max(map(len, WRONG.values())))
]


def validations() -> Iterator[tuple[str, list[str]]]:
    """Each validated variable with what its validations say, in their order."""
    for block in re.split(r"^variable ", (MODULE / "variables.tf").read_text(), flags=re.MULTILINE)[1:]:
        said = re.findall(r'^    error_message = "(.*)"$', block, re.MULTILINE)
        if said:
            yield block.split('"')[1], [one.replace('\\"', '"') for one in said]


def test_there_is_a_wrong_value_for_each_validation() -> None:
    assert {name: len(said) for name, said in validations()} == {name: len(values) for name, values in WRONG.items()}


@pytest.mark.parametrize("turn", [*TURNS, {ALONE: 0}], ids=[*map(str, range(len(TURNS))), ALONE])
def test_each_refuses_what_it_is_there_for_and_says_so(terraform: Terraform, turn: dict[str, int]) -> None:
    """One wrong value of each variable at once: terraform tells of all."""
    if not terraform.plans:
        pytest.skip("a plan would ask Google")
    wrong = {name: WRONG[name][number] for name, number in turn.items()}
    variables = {"project": '"my-project"', **wrong}
    options = [f"-var={name}={value.strip(chr(34))}" for name, value in variables.items()]
    refused = terraform.run("plan", "-input=false", "-no-color", *options, ok=(1,)).stderr
    said = {
        " ".join(re.sub(r"[│╵]", " ", one).split())
        for one in re.findall(r"Error: Invalid value for variable.*?This was checked", refused, re.DOTALL)
    }
    assert {name for one in said for name in re.findall(r'variable "(\w+)" \{', one)} == set(wrong)
    for name, messages in validations():
        if name in wrong:
            assert any(messages[turn[name]] in one for one in said), (
                f"{name} = {wrong[name]} is refused for something else"
            )
    assert len(said) == len(wrong), "a value is refused by two validations"
