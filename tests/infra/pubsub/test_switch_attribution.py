"""A switch is attributed to the person who made it, also after faults between its request and its outcome."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
import pytest
from google.cloud.firestore import FieldFilter
from google.pubsub_v1 import types

from infra.errors import SubscriptionUnavailableError
from infra.firestore.client import Database, fields_of
from infra.history.audit import Audit
from infra.logs import Logger
from infra.pubsub.client import PubSub
from infra.pubsub.delivery_control import DeliveryControl
from infra.pubsub.delivery_warnings import NOT_RECORDED
from infra.settings import ConsoleSettings
from tests.support.accounts import NAMES
from tests.support.firestore.fault_proxy import Behaviour, FaultProxy, failing, losing_the_reply, passing

ENDPOINT = "http://127.0.0.1:9/push"  # no server listens there


class Monitor:
    """Two instances of one monitor. The first reaches Pub/Sub and Firestore through proxies that cause faults."""

    def __init__(self, settings: ConsoleSettings, pubsub: PubSub) -> None:
        self.name = NAMES.create_prefix()
        self.path = settings.subscription_path(self.name)
        self._settings, self._pubsub = settings, pubsub
        topic = f"projects/{settings.google_cloud_project}/topics/{self.name}"
        pubsub.publisher.create_topic(name=topic)
        pubsub.subscriber.create_subscription(name=self.path, topic=topic)
        self.pubsub_proxy = FaultProxy(settings.pubsub_emulator_host)
        self.firestore_proxy = FaultProxy(settings.firestore_emulator_host)
        settings = replace(settings, subscriptions=(self.name,))
        faulty = replace(
            settings,
            pubsub_emulator_host=self.pubsub_proxy.address,
            firestore_emulator_host=self.firestore_proxy.address,
        )
        self._connections: list[PubSub | Database] = []
        self.database, through_proxy = Database(settings), Database(faulty)
        assert self.database.documents
        with pytest.MonkeyPatch.context() as environment:
            # Google's client reads the address there when it is made.
            environment.setenv("FIRESTORE_EMULATOR_HOST", self.firestore_proxy.address)
            assert through_proxy.documents
        self.first, self.second = self._control(faulty, through_proxy), self._control(settings, self.database)

    def _control(self, settings: ConsoleSettings, database: Database) -> DeliveryControl:
        pubsub = PubSub(settings)
        self._connections += [pubsub, database]
        return DeliveryControl(settings, ENDPOINT, database, pubsub, Audit(database), Logger("CRITICAL"))

    def set_outside(self, endpoint: str, why: str = "") -> None:
        """Change the push endpoint as gcloud does; with ``why``, exactly as Start does."""
        config = types.PushConfig(push_endpoint=endpoint)
        if why:
            config.oidc_token = types.PushConfig.OidcToken(
                service_account_email=self._settings.push_service_account, audience=self._settings.push_audience[0]
            )
        self._pubsub.subscriber.modify_push_config(subscription=self.path, push_config=config)

    def audited(self) -> list[tuple[str, str, str]]:
        ours = FieldFilter("target", "==", f"subscriptions/{self.name}")
        entries = self.database.documents.collection("audit").where(filter=ours).stream()
        in_order = sorted(entries, key=lambda entry: (entry.get("at"), entry.get("detail")))
        return [(entry.get("who"), entry.get("what"), entry.get("detail")) for entry in in_order]

    def requests(self) -> object:
        return fields_of(self.database.documents.collection("subscriptions").document(self.name).get())["requests"]

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self.pubsub_proxy.close()
        self.firestore_proxy.close()


@pytest.fixture
def monitor(settings: ConsoleSettings, pubsub: PubSub) -> Iterator[Monitor]:
    made = Monitor(settings, pubsub)
    yield made
    made.close()


def holding_the_reply(reached: threading.Event, until: threading.Event) -> Behaviour:
    """Let the call take effect, and hold its reply."""

    def behave(forward: Callable[[], bytes]) -> bytes:
        reply = forward()
        reached.set()
        until.wait(10)
        return reply

    return behave


@pytest.mark.parametrize("lost", [failing(grpc.StatusCode.UNAVAILABLE), losing_the_reply()])
def test_commit_that_fails_after_the_change_hides_no_author(monitor: Monitor, lost: Behaviour) -> None:
    monitor.first.observe(monitor.name)
    monitor.firestore_proxy.queue += [passing, lost, lost]  # the request passes, both tries of the outcome do not
    delivery = monitor.first.start(monitor.name, "op-1")
    assert (delivery.state, delivery.changed_by) == ("receiving", "op-1")
    delivery = monitor.second.observe(monitor.name)
    assert (delivery.state, delivery.changed_by) == ("receiving", "op-1")
    assert monitor.audited() == [("op-1", "delivery.start", "requested"), ("op-1", "delivery.start", "done")]


def test_change_that_cannot_be_recorded_is_returned_with_a_warning(monitor: Monitor) -> None:
    monitor.first.observe(monitor.name)
    monitor.firestore_proxy.queue += [passing] + [failing(grpc.StatusCode.UNAVAILABLE)] * 2
    assert NOT_RECORDED in monitor.first.start(monitor.name, "op-1").warnings
    assert NOT_RECORDED not in monitor.second.observe(monitor.name).warnings


def test_request_that_cannot_be_stored_changes_nothing(monitor: Monitor) -> None:
    monitor.first.observe(monitor.name)
    monitor.firestore_proxy.queue += [losing_the_reply()]
    with pytest.raises(Exception, match="Firestore"):
        monitor.first.start(monitor.name, "op-1")
    assert not monitor.pubsub_proxy.calls.count("ModifyPushConfig")
    assert monitor.requests() == {}
    assert [(who, detail.split(":")[0]) for who, _, detail in monitor.audited()] == [
        ("op-1", "requested"),
        ("op-1", "failed"),
    ]
    monitor.set_outside(ENDPOINT, "as the refused start would have done")
    assert monitor.second.observe(monitor.name).changed_by == ""


def test_call_without_an_answer_that_took_effect_is_done(monitor: Monitor) -> None:
    monitor.first.observe(monitor.name)
    monitor.pubsub_proxy.queue.append(losing_the_reply(grpc.StatusCode.DEADLINE_EXCEEDED))
    delivery = monitor.first.start(monitor.name, "op-1")
    assert (delivery.state, delivery.changed_by) == ("receiving", "op-1")
    assert monitor.audited() == [("op-1", "delivery.start", "requested"), ("op-1", "delivery.start", "done")]
    assert monitor.requests() == {}


def test_call_without_an_answer_has_an_unknown_outcome_until_it_takes_effect(monitor: Monitor) -> None:
    monitor.first.observe(monitor.name)
    monitor.pubsub_proxy.queue.append(failing(grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(SubscriptionUnavailableError, match="unknown whether this took effect"):
        monitor.first.start(monitor.name, "op-1")
    assert monitor.second.observe(monitor.name).state == "stopped"
    assert monitor.audited()[-1][2].startswith("outcome unknown: Pub/Sub, changing")
    monitor.set_outside(ENDPOINT, "op-1's call, which was on its way")
    assert monitor.second.observe(monitor.name).changed_by == "op-1"
    assert monitor.audited()[-1] == ("op-1", "delivery.start", "done")
    monitor.set_outside("")
    assert monitor.second.observe(monitor.name).changed_by == ""


def test_observer_attributes_a_change_before_its_outcome_is_recorded(monitor: Monitor) -> None:
    monitor.first.observe(monitor.name)
    reached, may_end = threading.Event(), threading.Event()
    monitor.pubsub_proxy.queue.append(holding_the_reply(reached, may_end))
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(monitor.first.start, monitor.name, "op-1")
        assert reached.wait(10)
        delivery = monitor.second.observe(monitor.name)
        assert (delivery.state, delivery.changed_by) == ("receiving", "op-1")
        assert monitor.audited() == [("op-1", "delivery.start", "requested"), ("op-1", "delivery.start", "done")]
        may_end.set()
        assert start.result(10).changed_by == "op-1"
    assert len(monitor.audited()) == 2, "the outcome is recorded twice"
    assert monitor.requests() == {}


def test_two_operators_at_once_are_attributed_rightly(monitor: Monitor) -> None:
    monitor.second.start(monitor.name, "admin")
    reached, may_end = threading.Event(), threading.Event()
    monitor.pubsub_proxy.queue.append(holding_the_reply(reached, may_end))
    with ThreadPoolExecutor(1) as pool:
        stop = pool.submit(monitor.first.stop, monitor.name, "op-1")
        assert reached.wait(10)
        assert monitor.second.start(monitor.name, "op-2").state == "receiving"
        may_end.set()
        delivery = stop.result(10)
    assert (delivery.state, delivery.changed_by) == ("receiving", "op-2")
    assert monitor.second.observe(monitor.name).changed_by == "op-2"
    outcomes = [(who, detail) for who, _, detail in monitor.audited() if detail != "requested"]
    assert sorted(outcomes) == [("admin", "done"), ("op-1", "done"), ("op-2", "done")]
    assert monitor.requests() == {}


def test_pages_that_look_cause_no_false_author(monitor: Monitor) -> None:
    over = threading.Event()

    def look(control: DeliveryControl) -> None:
        while not over.wait(0.02):
            control.observe(monitor.name)

    monitor.second.observe(monitor.name)
    with ThreadPoolExecutor(2) as pages:
        looks = [pages.submit(look, control) for control in (monitor.first, monitor.second)]
        try:
            for number in range(40):
                (monitor.second.stop if number % 2 else monitor.second.start)(monitor.name, "admin")
        finally:
            over.set()
        for one in looks:
            one.result(10)
    entries = monitor.audited()
    assert len(entries) == 80
    assert {who for who, _, _ in entries} == {"admin"}
    assert monitor.requests() == {}


def test_change_from_outside_right_after_a_switch_is_said(monitor: Monitor) -> None:
    monitor.first.start(monitor.name, "op-1")
    monitor.set_outside("")
    assert monitor.second.observe(monitor.name).changed_by == ""
    assert monitor.audited()[-1] == ("", "delivery.changed_elsewhere", "stopped")


def test_change_from_outside_before_the_outcome_is_recorded_is_said(monitor: Monitor) -> None:
    monitor.second.start(monitor.name, "admin")
    reached, may_end = threading.Event(), threading.Event()
    monitor.pubsub_proxy.queue.append(holding_the_reply(reached, may_end))
    with ThreadPoolExecutor(1) as pool:
        stop = pool.submit(monitor.first.stop, monitor.name, "op-1")
        assert reached.wait(10)
        monitor.set_outside("http://127.0.0.1:9/other")
        may_end.set()
        assert stop.result(10).changed_by == ""
    assert {("op-1", "done, and changed again at once"), ("", "receiving")} <= {
        (who, detail) for who, _, detail in monitor.audited()
    }


def test_documents_of_an_earlier_version_report_no_change(monitor: Monitor) -> None:
    monitor.second.start(monitor.name, "op-1")
    document = monitor.database.documents.collection("subscriptions").document(monitor.name)
    kept = fields_of(document.get())
    for name in ("ended", "push_form", "requests"):
        del kept[name]
    document.set(kept)
    assert monitor.second.observe(monitor.name).changed_by == "op-1"
    assert fields_of(document.get()) == kept
    assert monitor.second.stop(monitor.name, "op-2").changed_by == "op-2"
