"""Slots: few in all, fewer for one address, and nobody waits for one."""

from contextlib import ExitStack

import pytest

from infra.accounts.sign_in_slots import MAX_SLOTS, MAX_SLOTS_PER_ADDRESS, SignInSlots
from infra.errors import BusyError


def test_one_address_leaves_places_to_others() -> None:
    places = SignInSlots()
    with ExitStack() as held:
        for _ in range(MAX_SLOTS_PER_ADDRESS):
            held.enter_context(places.slot("a"))
        with pytest.raises(BusyError, match="Too many people are signing in"):
            held.enter_context(places.slot("a"))
        held.enter_context(places.slot("b"))


def test_there_are_few_in_all() -> None:
    places = SignInSlots()
    with ExitStack() as held:
        for number in range(MAX_SLOTS):
            held.enter_context(places.slot(f"{number}"))
        with pytest.raises(BusyError):
            held.enter_context(places.slot("another"))
    with places.slot("another"):
        pass


def test_a_place_is_given_back_whatever_happens() -> None:
    places = SignInSlots()
    for _ in range(2 * MAX_SLOTS):
        with pytest.raises(ValueError, match="broken"), places.slot("a"):
            raise ValueError("broken")
