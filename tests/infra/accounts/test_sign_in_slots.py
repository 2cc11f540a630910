"""Slots: limited in total and per address; an attempt over the limit fails at once."""

from contextlib import ExitStack

import pytest

from infra.accounts.sign_in_slots import MAX_SLOTS, MAX_SLOTS_PER_ADDRESS, SignInSlots
from infra.errors import BusyError


def test_one_address_leaves_places_to_others() -> None:
    slots = SignInSlots()
    with ExitStack() as held:
        for _ in range(MAX_SLOTS_PER_ADDRESS):
            held.enter_context(slots.slot("a"))
        with pytest.raises(BusyError, match="Too many people are signing in"):
            held.enter_context(slots.slot("a"))
        held.enter_context(slots.slot("b"))


def test_slots_are_limited_in_total() -> None:
    slots = SignInSlots()
    with ExitStack() as held:
        for number in range(MAX_SLOTS):
            held.enter_context(slots.slot(f"{number}"))
        with pytest.raises(BusyError):
            held.enter_context(slots.slot("another"))
    with slots.slot("another"):
        pass


def test_slot_is_released_after_an_error() -> None:
    slots = SignInSlots()
    for _ in range(2 * MAX_SLOTS):
        with pytest.raises(ValueError, match="broken"), slots.slot("a"):
            raise ValueError("broken")
