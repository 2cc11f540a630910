"""Places: a person gets a quarter, a short queue waits, and more requests are refused at once."""

import threading
from collections.abc import Iterator

import pytest

from infra.errors import BusyError
from tests.support.waiting import wait_until
from web.access.places import Places

PATIENT = 10.0


@pytest.fixture
def places() -> Iterator[Places]:
    made = Places("searches", of_all=8, wait_seconds=PATIENT)
    yield made
    assert len(made) == 0


def test_person_who_holds_a_quarter_is_refused(places: Places) -> None:
    hasty = Places("searches", of_all=8, wait_seconds=0)
    with hasty.held("viewer"), hasty.held("viewer"):
        with pytest.raises(
            BusyError, match=r"^You have 2 searches running, the most for one person\. Wait until one ends\.$"
        ):
            hasty.take("viewer")
        with hasty.held("operator"):
            assert len(hasty) == 3


def test_all_places_are_taken_by_several() -> None:
    hasty = Places("exports", of_all=4, wait_seconds=0)
    people = ("a", "b", "c", "d")
    for person in people:
        hasty.take(person)
    with pytest.raises(BusyError, match=r"^All 4 places for exports are taken\. Try again in a moment\.$"):
        hasty.take("e")
    hasty.leave("a")
    hasty.take("e")


def test_place_is_given_to_one_that_waits_and_the_queue_is_short(places: Places) -> None:
    places.take("viewer")
    places.take("viewer")
    came = threading.Semaphore(0)

    def wait() -> None:
        places.take("viewer")
        came.release()

    waiting = [threading.Thread(target=wait, daemon=True) for _ in range(16)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: places._waiting["viewer"] == 16, "sixteen requests in the queue")
    with pytest.raises(BusyError):
        places.take("viewer")
    for _ in waiting:
        places.leave("viewer")
        assert came.acquire(timeout=5), "the next in the queue got no place"
    for _ in range(2):
        places.leave("viewer")


def test_queue_of_a_person_has_a_length_of_its_kind() -> None:
    places = Places("searches", of_all=4, wait_seconds=PATIENT, max_waiting=1)
    places.take("viewer")
    waiting = threading.Thread(target=places.take, args=("viewer",), daemon=True)
    waiting.start()
    wait_until(lambda: places._waiting["viewer"] == 1, "a request in the queue")
    with pytest.raises(BusyError):
        places.take("viewer")
    places.leave("viewer")
    waiting.join(5)
    assert len(places) == 1


def test_place_is_left_after_an_error(places: Places) -> None:
    with pytest.raises(ZeroDivisionError), places.held("viewer"):
        raise ZeroDivisionError
