"""Places: few in all, fewer for one address, and nobody waits for one."""

from contextlib import ExitStack

import pytest

from infra.accounts.sign_in_slots import FOR_ONE_ADDRESS, IN_ALL, Places
from infra.errors import BusyError


def test_one_address_leaves_places_to_others() -> None:
    places = Places()
    with ExitStack() as held:
        for _ in range(FOR_ONE_ADDRESS):
            held.enter_context(places.place("a"))
        with pytest.raises(BusyError, match="Too many people are signing in"):
            held.enter_context(places.place("a"))
        held.enter_context(places.place("b"))


def test_there_are_few_in_all() -> None:
    places = Places()
    with ExitStack() as held:
        for number in range(IN_ALL):
            held.enter_context(places.place(f"{number}"))
        with pytest.raises(BusyError):
            held.enter_context(places.place("another"))
    with places.place("another"):
        pass


def test_a_place_is_given_back_whatever_happens() -> None:
    places = Places()
    for _ in range(2 * IN_ALL):
        with pytest.raises(ValueError, match="broken"), places.place("a"):
            raise ValueError("broken")
