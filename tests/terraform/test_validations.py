"""Each validation of the variables refuses a value that no other validation refuses."""

import re
from collections.abc import Iterator

import pytest

from tests.support.terraform.refusals import Refusals, planned_refusals
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
    "build": [
        '{ region = "Europe" }',
        '{ worker_pool = "mine" }',
        '{ region = "us-east1", worker_pool = "projects/p/locations/us-central1/workerPools/w" }',
    ],
    "deploy": [
        '{ state_bucket = "gs://my-state" }',
        '{ state_bucket = "my-state", repository = "github.com/me/it" }',
        '{ state_bucket = "my-state", repository = "projects/p/locations/us-east1/connections/c/repositories/r" }',
        '{ state_bucket = "my-state", worker_pool = "my-pool" }',
    ],
    "firestore": [
        '{ database = "UPPER" }',
        "{ create = false }",
        "{ daily_backup_days = 99 }",
        '{ kms_key = "key" }',
    ],
    "kms_key": ['"key"', '"projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"'],
    "labels": ['{ Team = "ops" }', '{ app = "theirs" }'],
    "links": ['{ "a,b" = "https://example.com/{value}" }', '{ id = "https://{value}/" }'],
    "log_level": ['"LOUD"'],
    "masked_fields": ['["a,b"]', '["Data.*.id"]'],
    "message_shards": ["31"],
    "name": ['"a-name-of-21-letters-"'],
    "project": ['"123456789012"'],
    "publish_topics": ['["elsewhere"]'],
    "push_audiences": ['["https://one.example"]'],
    "receiver": [
        "{ concurrency = 1 }",
        '{ cpu = "0.5" }',
        "{ min_instances = 11 }",
        '{ memory = "512" }',
        '{ invoker = "allUsers" }',
    ],
    "region": ['"Europe"'],
    "retention_days": ["0.5"],
    "roles": ['{ viewer = "datastore.user" }', '{ receiver = "roles/editor" }'],
    "secret_versions": ["{ session_key = 1.5 }"],
    "service_accounts": [
        '{ push = "push@elsewhere.iam.gserviceaccount.com" }',
        '{ receiver = "a@my-project.iam.gserviceaccount.com", viewer = "a@my-project.iam.gserviceaccount.com" }',
    ],
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
        '{ ingress = "vpn" }',
        '{ addresses = ["subscope.example.com"] }',
        '{ ingress = "load_balancer" }',
        '{ access = "private", members = ["user:operator@example.com"], addresses = ["https://a.example"] }',
        '{ ingress = "load_balancer", addresses = ["https://a.example"], trusted_proxies = 10 }',
        "{ trusted_proxies = 2 }",
    ],
    "viewer_image": ['"viewer:latest"'],
    "vpc_access": ["{}", '{ network = "shared", egress = "some" }'],
}
# Further values: the variable, the number of the validation among its own, and the value.
MORE = [
    ("deploy", 3, '{ state_bucket = "my-state", worker_pool = "projects/p/locations/us-east1/workerPools/w" }'),
    ("firestore", 2, "{ weekly_backup_weeks = 15 }"),
    ("firestore", 2, "{ weekly_backup_weeks = 0.5 }"),
    ("kms_key", 0, '"projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"'),
    ("links", 1, '{ id = "http://example.com/{value}" }'),
    ("links", 1, '{ id = "https://example.com/" }'),
    ("masked_fields", 0, '[" a"]'),
    ("masked_fields", 1, '["data.a..b"]'),
    ("push_audiences", 0, '["https://subscope-receiver-1.europe-west1.run.app/"]'),
    ("push_audiences", 0, '["https://other-receiver-1.europe-west1.run.app"]'),
    ("push_audiences", 0, '["https://subscope-receiver-1.europe-west1.run.app", "subscope-receiver.my-project"]'),
    ("receiver", 0, "{ concurrency = 80.5 }"),
    ("receiver", 1, '{ cpu = "3" }'),
    ("receiver", 1, '{ cpu = "" }'),
    ("receiver", 2, "{ min_instances = -1 }"),
    ("receiver", 3, '{ memory = "1Mi" }'),
    ("receiver", 3, '{ memory = "5Gi" }'),
    ("secret_versions", 0, "{ admin_password = 0 }"),
    ("service_accounts", 0, '{ viewer = "serviceAccount:a@my-project.iam.gserviceaccount.com" }'),
    ("subscriptions", 1, '{ "a%b-c" = { topic = "a-b-c" } }'),
    ("subscriptions", 2, '{ a-b-c = { topic = "a%b-c" } }'),
    ("subscriptions", 4, '{ orders = { topic = "a-b-c" }, orders-dead-letter-monitor = { topic = "d-e-f" } }'),
    ("subscriptions", 7, '{ orders = { topic = "orders", ack_deadline_seconds = 45.5 } }'),
    ("subscriptions", 8, '{ a-b-c = { topic = "a-b", max_delivery_attempts = 5.5 } }'),
    ("subscriptions", 9, '{ orders = { topic = "orders", retention_days = 1.00001 } }'),
    ("viewer", 4, "{ max_streams = 2.5 }"),
    ("viewer", 5, "{ max_instances = 2.5 }"),
    ("viewer", 6, '{ memory = "64Gi", cpu = "8" }'),
    ("viewer", 6, '{ memory = "512Mi", cpu = "4" }'),
    ("viewer", 6, '{ memory = "0512Ki" }'),
    ("viewer", 7, '{ cpu = "5.5" }'),
    ("viewer", 9, '{ addresses = ["https://a.example/subscope"] }'),
]
CASES = [(name, number, value) for name, values in WRONG.items() for number, value in enumerate(values)] + MORE
IDS = [
    f"{name}_{number}" if case < len(CASES) - len(MORE) else f"{name}_{number}_{case}"
    for case, (name, number, _) in enumerate(CASES)
]

# Audiences of a receiver that verifies signatures itself: plain names.
PUBLIC = [
    '["https://subscope-receiver-1.europe-west1.run.app"]',
    '["good", "https://europe-west1-p.cloudfunctions.net/subscope-receiver"]',
    '["it\'s"]',
    '["a b"]',
]


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


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    """Plan one call of the variables for each wrong value, and one without a wrong value."""
    calls = {call: {name: value} for call, (name, _, value) in zip(IDS, CASES, strict=True)}
    public = '{ invoker = "public" }'
    calls |= {f"public_{at}": {"push_audiences": value, "receiver": public} for at, value in enumerate(PUBLIC)}
    good = {"push_audiences": '["a-name"]', "receiver": public}
    return planned_refusals(tmp_path_factory.mktemp("refusals"), {**calls, "correct": {}, "public": good})


@pytest.mark.parametrize("call", IDS)
def test_wrong_value_is_refused_by_its_validation_alone(refusals: Refusals, call: str) -> None:
    name, number, _ = CASES[IDS.index(call)]
    assert refusals.get(call) == [dict(validations())[name][number]]


def test_correct_values_are_not_refused(refusals: Refusals) -> None:
    assert not {"correct", "public"} & set(refusals)


@pytest.mark.parametrize("at", range(len(PUBLIC)))
def test_audience_of_a_receiver_that_verifies_itself_is_a_plain_name(refusals: Refusals, at: int) -> None:
    assert refusals.get(f"public_{at}") == [dict(validations())["push_audiences"][0]]


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
