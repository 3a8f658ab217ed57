"""The life of a payment: every (state, event) pair."""

from __future__ import annotations

from itertools import product

import pytest

from payments_api.domain.states import Event, State, after, state_of

EXPECTED = {
    ("pending", "charge.succeeded"): "success",
    ("pending", "charge.failed"): "failed",
    ("pending", "capture"): None,
    ("pending", "cancel"): None,
    ("success", "charge.succeeded"): None,
    ("success", "charge.failed"): None,
    ("success", "capture"): "captured",
    ("success", "cancel"): "cancelled",
    ("captured", "charge.succeeded"): None,
    ("captured", "charge.failed"): None,
    ("captured", "capture"): None,
    ("captured", "cancel"): None,
    ("failed", "charge.succeeded"): None,
    ("failed", "charge.failed"): None,
    ("failed", "capture"): None,
    ("failed", "cancel"): None,
    ("cancelled", "charge.succeeded"): None,
    ("cancelled", "charge.failed"): None,
    ("cancelled", "capture"): None,
    ("cancelled", "cancel"): None,
}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair(state: State, event: Event) -> None:
    assert after(state, event) == EXPECTED[state.value, event.value]


def test_every_pair_is_expected() -> None:
    assert set(EXPECTED) == {(state.value, event.value) for state, event in product(State, Event)}


def test_a_captured_payment_shows_as_success() -> None:
    assert state_of("success", captured=True) is State.CAPTURED
    assert state_of("success", captured=False) is State.SUCCESS
    assert state_of("failed", captured=False) is State.FAILED
