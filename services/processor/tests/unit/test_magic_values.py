"""The table of API.md, The simulated bank, line by line, in every mode."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway_common.card import Card
from processor.acquirers import ChargeRequest, RefundRequest
from processor.acquirers.simulator.behaviour import Behaviour
from processor.acquirers.simulator.magic_values import DESCRIPTIONS

MERCHANT = UUID(int=1)
# Behaviours that would decide otherwise if the value were not magic.
NEVER = Behaviour(seed=1, upi_success_rate=0.0, card_success_rate=0.0)
ALWAYS = Behaviour(seed=1, upi_success_rate=1.0, card_success_rate=1.0)
TEST_FAILING = Behaviour(seed=1, forced_success=False)
TEST_SUCCEEDING = Behaviour(seed=1, forced_success=True)


def by_upi(vpa: str, reference: str = "pay_x") -> ChargeRequest:
    return ChargeRequest(reference, MERCHANT, reference, 50_000, "INR", "upi", vpa)


def by_card(number: str, reference: str = "pay_x") -> ChargeRequest:
    card = Card(number, 12, 2034, "123", "Asha Rao")
    return ChargeRequest(reference, MERCHANT, reference, 50_000, "INR", "card", None, card)


@pytest.mark.parametrize("behaviour", [NEVER, ALWAYS, TEST_FAILING, TEST_SUCCEEDING])
@pytest.mark.parametrize(
    ("vpa", "is_success", "reason", "is_answer_lost"),
    [
        ("success@upi", True, None, False),
        ("success@razorpay", True, None, False),
        ("Success@UPI", True, None, False),
        ("failure@upi", False, "payment_declined", False),
        ("failure@razorpay", False, "payment_declined", False),
        ("timeout@upi", False, "bank_timeout", True),
        ("late@upi", True, None, True),
    ],
)
def test_vpas(behaviour: Behaviour, vpa: str, is_success: bool, reason: str | None, is_answer_lost: bool) -> None:
    decision = behaviour.decide_charge(by_upi(vpa))
    assert (decision.is_success, decision.reason, decision.is_answer_lost) == (is_success, reason, is_answer_lost)


@pytest.mark.parametrize("behaviour", [NEVER, ALWAYS, TEST_FAILING, TEST_SUCCEEDING])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("4242424242424242", None),
        ("4111111111111111", None),
        ("5555555555554444", None),
        ("378282246310005", None),
        ("6527658900001005", None),
        ("4000000000000002", "card_declined"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000009987", "lost_card"),
        ("4000000000009979", "stolen_card"),
        ("4000000000000069", "expired_card"),
        ("4000000000000127", "incorrect_cvc"),
        ("4000000000000119", "processing_error"),
    ],
)
def test_cards(behaviour: Behaviour, number: str, reason: str | None) -> None:
    decision = behaviour.decide_charge(by_card(number))
    assert (decision.is_success, decision.reason, decision.is_answer_lost) == (reason is None, reason, False)


@pytest.mark.parametrize("behaviour", [NEVER, ALWAYS, TEST_FAILING, TEST_SUCCEEDING])
def test_refunds_succeed_but_for_one_amount(behaviour: Behaviour) -> None:
    outcomes = {
        amount: behaviour.decide_refund(RefundRequest("rfnd_x", MERCHANT, "pay_x", amount, "INR"))
        for amount in (2467, 2468, 2469)
    }
    assert {amount: decision.reason for amount, decision in outcomes.items()} == {
        2467: None,
        2468: "refund_declined",
        2469: None,
    }


def test_every_decline_has_words() -> None:
    reasons = {
        ALWAYS.decide_charge(request).reason or "payment_declined"
        for request in (by_upi("failure@upi"), by_upi("timeout@upi"), by_card("4000000000000119"))
    }
    assert reasons <= set(DESCRIPTIONS)
    assert TEST_FAILING.decide_charge(by_card("6011111111111117")).reason in DESCRIPTIONS
