"""Each validation of the variables refuses a value that no other validation refuses."""

import re
from collections.abc import Iterator

import pytest

from tests.support.terraform.runner import MODULE, Terraform, resources

WRONG = {
    "alerts": [
        '{ emails = ["no-address"] }',
        '{ channels = ["pager"] }',
        "{ failing_push_share = 1 }",
        "{ lag_minutes = 0 }",
        "{ retention_share = 1 }",
    ],
    "budget": [
        '{ billing_account = "mine", amount = 100 }',
        '{ billing_account = "012345-ABCDEF-678901", amount = 0.5 }',
        '{ billing_account = "012345-ABCDEF-678901", amount = 100, currency = "euro" }',
    ],
    "deploy": [
        '{ state_bucket = "gs://my-state" }',
        '{ state_bucket = "my-state", repository = "github.com/me/it" }',
        '{ state_bucket = "my-state", repository = "projects/p/locations/us-east1/connections/c/repositories/r" }',
        '{ state_bucket = "my-state", worker_pool = "my-pool" }',
    ],
    "firestore": ['{ database = "UPPER" }'],
    "labels": ['{ Team = "ops" }', '{ app = "theirs" }'],
    "links": ['{ "a,b" = "https://example.com/{value}" }', '{ id = "https://{value}/" }'],
    "log_level": ['"LOUD"'],
    "masked_fields": ['["a,b"]', '["Data.*.id"]'],
    "message_shards": ["31"],
    "name": ['"a-name-of-21-letters-"'],
    "project": ['"123456789012"'],
    "publish_topics": ['["elsewhere"]'],
    "push_audiences": ['["https://subscope-receiver-1.europe-west1.run.app"]'],
    "receiver": ["{ concurrency = 1 }", '{ cpu = "0.5" }', "{ min_instances = 11 }", '{ memory = "512" }'],
    "region": ['"Europe"'],
    "retention_days": ["0.5"],
    "secret_versions": ["{ session_key = 1.5 }"],
    "subscriptions": [
        "{}",
        '{ google-orders = { topic = "orders" } }',
        '{ orders = { topic = "projects/other/orders" } }',
        '{ orders = { topic = "google-orders" } }',
        '{ orders = { topic = "orders" }, refused = { topic = "orders-dead-letter" } }',
        '{ orders = { topic = "orders" }, more = { topic = "projects/my-project/topics/orders" } }',
        f'{{ orders = {{ topic = "orders", filter = "{"x" * 257}" }} }}',
        '{ orders = { topic = "orders", ack_deadline_seconds = 10 } }',
        '{ orders = { topic = "orders", max_delivery_attempts = 4 } }',
        '{ orders = { topic = "orders", retention_days = 32 } }',
        '{ orders = { topic = "orders", retry_minimum_seconds = 400 } }',
    ],
    "viewer": [
        '{ access = "open", members = ["user:operator@example.com"] }',
        '{ access = "private" }',
        '{ members = ["user:operator@example.com"] }',
        '{ access = "iap", members = ["operator@example.com"] }',
        "{ max_streams = 961 }",
        "{ max_instances = 0 }",
        '{ memory = "1GB" }',
        '{ cpu = "0.5" }',
    ],
    "viewer_image": ['"viewer:latest"'],
}
# Further values: the number of the validation among those of its variable, and the value.
MORE = [
    {
        "links": (1, '{ id = "http://example.com/{value}" }'),
        "masked_fields": (0, '[" a"]'),
        "push_audiences": (0, '["https://subscope-receiver-1.europe-west1.run.app/"]'),
        "receiver": (0, "{ concurrency = 80.5 }"),
        "secret_versions": (0, "{ admin_password = 0 }"),
        "subscriptions": (4, '{ orders = { topic = "a-b-c" }, orders-dead-letter-monitor = { topic = "d-e-f" } }'),
        "viewer": (4, "{ max_streams = 2.5 }"),
    },
    {
        "links": (1, '{ id = "https://example.com/" }'),
        "masked_fields": (1, '["data.a..b"]'),
        "receiver": (2, "{ min_instances = -1 }"),
        "viewer": (5, "{ max_instances = 2.5 }"),
        "push_audiences": (0, '["https://europe-west1-p.cloudfunctions.net/subscope-receiver"]'),
        "subscriptions": (7, '{ orders = { topic = "orders", ack_deadline_seconds = 45.5 } }'),
    },
    {
        "push_audiences": (0, '["it\'s"]'),
        "subscriptions": (8, '{ a-b-c = { topic = "a-b", max_delivery_attempts = 5.5 } }'),
    },
    {
        "receiver": (1, '{ cpu = "3" }'),
        "viewer": (7, '{ cpu = "5.5" }'),
        "subscriptions": (9, '{ orders = { topic = "orders", retention_days = 1.00001 } }'),
    },
    {"receiver": (3, '{ memory = "1Mi" }'), "viewer": (6, '{ memory = "64Gi", cpu = "8" }')},
    {"receiver": (3, '{ memory = "5Gi" }'), "viewer": (6, '{ memory = "512Mi", cpu = "4" }')},
    {"receiver": (1, '{ cpu = "" }'), "viewer": (6, '{ memory = "0512Ki" }')},
    {"subscriptions": (1, '{ "a%b-c" = { topic = "a-b-c" } }')},
    {"subscriptions": (2, '{ a-b-c = { topic = "a%b-c" } }')},
    {"deploy": (3, '{ state_bucket = "my-state", worker_pool = "projects/p/locations/us-east1/workerPools/w" }')},
]
# Validations that involve another variable: the other entry must have a correct value.
ALONE = ("project", "publish_topics", "region")
TURNS = [
    {name: turn for name, values in WRONG.items() if turn < len(values) and name not in ALONE}
    for turn in range(max(map(len, WRONG.values())))
] + [{name: 0} for name in ALONE]


def validations() -> Iterator[tuple[str, list[str]]]:
    """Yield each validated variable with the messages of its validations, in order."""
    for block in re.split(r"^variable ", (MODULE / "variables.tf").read_text(), flags=re.MULTILINE)[1:]:
        messages = re.findall(r'^    error_message = "(.*)"$', block, re.MULTILINE)
        if messages:
            yield block.split('"')[1], [message.replace('\\"', '"') for message in messages]


def test_each_validation_has_a_wrong_value() -> None:
    assert {name: len(messages) for name, messages in validations()} == {
        name: len(values) for name, values in WRONG.items()
    }


@pytest.mark.parametrize("turn", TURNS, ids=map(str, range(len(TURNS))))
def test_wrong_value_is_refused_with_its_message(terraform: Terraform, turn: dict[str, int]) -> None:
    """Use a wrong value of each variable at once: terraform reports all of them."""
    assert_refused(terraform, {name: (number, WRONG[name][number]) for name, number in turn.items()})


@pytest.mark.parametrize("wrong", MORE, ids=map(str, range(len(MORE))))
def test_value_that_an_apply_would_refuse_is_refused_in_the_plan(
    terraform: Terraform, wrong: dict[str, tuple[int, str]]
) -> None:
    assert_refused(terraform, wrong)


def test_names_of_the_maximum_length_are_planned(terraform: Terraform) -> None:
    longest, odd = "a" * 231, "a+b.c~d_e-f"
    plan = terraform.plan(
        "limits",
        f"""
project        = "a{"b" * 28}c"
name           = "a{"0" * 19}"
receiver       = {{ cpu = "8", memory = "32Gi" }}
viewer         = {{ cpu = "4", memory = "2048Mi" }}
labels         = {{ team_1 = "größe", empty = "" }}
publish_topics = ["{odd}"]
subscriptions = {{
  "{longest}" = {{ topic = "{"t" * 255}", filter = "{"x" * 256}", monitor_dead_letters = true }}
  "{odd}"     = {{ topic = "{odd}", start_running = true }}
}}
""",
    )
    made = {entry["values"]["name"] for entry in resources(plan, "google_pubsub_subscription")}
    assert made == {longest, odd, f"{longest}-dead-letter-monitor", f"{odd}-dead-letter-monitor"}
    assert max(map(len, made)) <= 255
    accounts = [entry["values"]["account_id"] for entry in resources(plan, "google_service_account")]
    assert max(map(len, accounts)) <= 30
    (bucket,) = resources(plan, "google_storage_bucket")
    assert len(bucket["values"]["name"]) <= 63


def assert_refused(terraform: Terraform, wrong: dict[str, tuple[int, str]]) -> None:
    """Assert that each value is refused by the given validation of its variable, and by no other."""
    if not terraform.plans:
        pytest.skip("a plan would ask Google")
    variables = {"project": '"my-project"', **{name: value for name, (_, value) in wrong.items()}}
    options = [f"-var={name}={value.strip(chr(34))}" for name, value in variables.items()]
    refused = terraform.run("plan", "-input=false", "-no-color", *options, ok=(1,)).stderr
    errors = {
        " ".join(re.sub(r"[│╵]", " ", error).split())
        for error in re.findall(r"Error: Invalid value for variable.*?This was checked", refused, re.DOTALL)
    }
    assert {name for error in errors for name in re.findall(r"\d+: (\w+) += var\.\1\b", error)} == set(wrong)
    messages = dict(validations())
    for name, (number, value) in wrong.items():
        assert any(messages[name][number] in error for error in errors), (
            f"{name} = {value} is refused for another reason"
        )
    assert len(errors) == len(wrong), "a value is refused by two validations"
