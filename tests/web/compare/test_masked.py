"""A viewer compares through the mask: no value that is masked, and not whether two of them are equal."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.firestore.servers import LocalFirestore
from tests.support.firestore.settings import SUBSCRIPTION, settings_for
from tests.support.ports import free_port
from tests.support.viewer.app import running
from tests.support.viewer.topics import store
from tests.support.viewer.visitor import Skeleton, Visitor, signed_in

FIELDS = "email,ordering_key,data.card.number"
SECRETS = ("QQ11", "QQ22")


@pytest.fixture(scope="module")
def app(firestore: LocalFirestore) -> Iterator[Flask]:
    environ = {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}", "LOG_LEVEL": "CRITICAL"}
    with running(settings_for(firestore.address, MASKED_FIELDS=FIELDS, **environ)) as running_app:
        yield running_app


@pytest.fixture(scope="module")
def viewer(app: Flask) -> Visitor:
    return signed_in(app, "viewer")


@pytest.fixture(scope="module")
def operator(app: Flask) -> Visitor:
    return signed_in(app, "operator")


def message(app: Flask, secret: str, *, padding: int = 0, text: str = "") -> str:
    payload = {
        "id": 1,
        "card": {"number": secret, "kind": "visa"},
        "list": [{"card.number": secret}],
        "p": "x" * padding,
    }
    data = text.encode() or json.dumps(payload).encode()
    return store(app, SUBSCRIPTION, data, {"email": secret, "team": "a"}, secret).id


def words(visitor: Visitor, a: str, b: str) -> str:
    """Return the texts of the page."""
    page = visitor.get(f"/compare?a={a}&b={b}")
    assert page.status_code == 200
    return " ".join(" ".join(Skeleton(page.text).texts).split())


@pytest.mark.parametrize("padding", [0, 30_000], ids=["small", "large"])
def test_equal_and_different_masked_values_give_the_same_page(app: Flask, viewer: Visitor, padding: int) -> None:
    first = message(app, SECRETS[0], padding=padding)
    same, other = message(app, SECRETS[0], padding=padding), message(app, SECRETS[1], padding=padding)
    pages = [words(viewer, first, one) for one in (same, other)]
    for page in pages:
        assert not [secret for secret in SECRETS if secret in page]
        assert "Nothing differs in what your role may see. Masked values are not compared." in page
        assert "• masked /card/number A: masked B: masked" in page
        assert "• masked /list/0/card.number" in page
        assert "• masked email A: masked B: masked" in page
        assert "• masked Ordering key" in page
        assert "• masked Size" in page
        assert "Kind json" in page
    counted = [page.partition("Payload")[2] for page in pages]
    assert strip_times(counted[0]) == strip_times(counted[1])


def strip_times(text: str) -> str:
    return " ".join(
        word for word in text.split() if not any(letter.isdigit() for letter in word) or word.startswith("/")
    )


def test_operator_sees_the_difference_that_is_masked_for_a_viewer(app: Flask, operator: Visitor) -> None:
    page = words(operator, message(app, SECRETS[0]), message(app, SECRETS[1]))
    assert "2 differences in the payload" in page
    assert all(secret in page for secret in SECRETS)
    assert "masked" not in page


def test_text_that_the_mask_withholds_is_not_compared(app: Flask, viewer: Visitor) -> None:
    for other in ("secret QQ11", "secret QQ22"):
        page = words(viewer, message(app, "k", text="secret QQ11"), message(app, "k", text=other))
        assert "At least one payload is masked for your role, so they are not compared." in page
        assert "QQ" not in page


def test_patch_with_masked_values_is_refused(app: Flask, viewer: Visitor) -> None:
    a, b = message(app, SECRETS[0]), message(app, SECRETS[1])
    answer = viewer.get(f"/compare/patch?a={a}&b={b}")
    assert answer.status_code == 409
    assert "masked for your role" in answer.text
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_masked_ordering_key_finds_no_other_message(app: Flask, viewer: Visitor, operator: Visitor) -> None:
    message(app, SECRETS[0])
    later = message(app, SECRETS[0])
    assert "previous of its ordering key" not in viewer.get(f"/messages/{later}").text
    assert viewer.get(f"/compare/earlier?b={later}&by=key").status_code == 400
    assert operator.get(f"/compare/earlier?b={later}&by=key").status_code == 302
