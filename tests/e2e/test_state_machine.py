"""Orders, payments, captures, cancellations and refunds in random order against the HTTP API, with a model beside it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from gateway_local import merchants
from gateway_local.stack import Stack

AMOUNT = 10_000


@dataclass
class Expected:
    """What the model knows of a payment."""

    order_id: str
    status: str
    is_captured: bool = False
    amount_captured: int = 0
    amount_asked_back: int = 0


class Shop(RuleBasedStateMachine):
    """One merchant; every rule does one thing and checks the answer against the model."""

    api: httpx.Client
    orders = Bundle("orders")
    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[str, Expected] = {}
        self.holders: dict[str, str] = {}

    @rule(target=orders, multiple=st.booleans())
    def create_order(self, multiple: bool) -> tuple[str, bool]:
        answer = self.api.post("/orders", json={"amount": AMOUNT, "multiple_payments": multiple})
        assert answer.status_code == 201
        return answer.json()["id"], multiple

    @rule(target=payments, order=orders, vpa=st.sampled_from(["success@upi", "failure@upi"]), key=st.booleans())
    def pay(self, order: tuple[str, bool], vpa: str, key: bool) -> str:
        order_id, is_multiple = order
        headers = {"Idempotency-Key": secrets.token_hex(8)} if key else {}
        body = {"order_id": order_id, "method": "upi", "vpa": vpa}
        answer = self.api.post("/payments", json=body, headers=headers)
        if not is_multiple and order_id in self.holders:
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ORDER_ALREADY_PAID")
            return ""
        assert answer.status_code == 201, answer.text
        if key:
            again = self.api.post("/payments", json=body, headers=headers)
            assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
        payment_id: str = answer.json()["id"]
        for action in ("capture", "cancel"):
            assert self.api.post(f"/payments/{payment_id}/{action}").status_code == 400
        payment = eventually(lambda: self.payment(payment_id), lambda found: found["status"] != "pending")
        wanted = "success" if vpa == "success@upi" else "failed"
        assert payment["status"] == wanted
        self.expected[payment_id] = Expected(order_id, wanted)
        if wanted == "success" and not is_multiple:
            self.holders[order_id] = payment_id
        return payment_id

    @rule(payment_id=payments, amount=st.one_of(st.none(), st.integers(1, AMOUNT + 1)))
    def capture(self, payment_id: str, amount: int | None) -> None:
        if not payment_id:
            return
        expected = self.expected[payment_id]
        answer = self.api.post(f"/payments/{payment_id}/capture", json={} if amount is None else {"amount": amount})
        left = AMOUNT - expected.amount_asked_back
        taken = left if amount is None else amount
        if expected.status != "success" or expected.is_captured or not 0 < taken <= left:
            assert answer.status_code == 400, answer.text
            return
        assert answer.status_code == 200, answer.text
        expected.is_captured, expected.amount_captured = True, taken

    @rule(payment_id=payments)
    def cancel(self, payment_id: str) -> None:
        if not payment_id:
            return
        expected = self.expected[payment_id]
        answer = self.api.post(f"/payments/{payment_id}/cancel")
        is_possible = expected.status == "success" and not expected.is_captured and expected.amount_asked_back < AMOUNT
        assert answer.status_code == (200 if is_possible else 400), answer.text
        if is_possible:
            expected.status = "cancelled"
            self.holders.pop(expected.order_id, None)

    @rule(payment_id=payments, amount=st.integers(1, AMOUNT))
    def refund(self, payment_id: str, amount: int) -> None:
        if not payment_id:
            return
        expected = self.expected[payment_id]
        answer = self.api.post(f"/payments/{payment_id}/refunds", json={"amount": amount})
        if expected.status != "success":
            assert (answer.status_code, answer.json()["detail"]) == (400, "Payment not in refundable state")
        elif answer.status_code == 201:
            expected.amount_asked_back += amount
            assert expected.amount_asked_back <= AMOUNT
        else:
            assert answer.json()["error"]["reason"] == "insufficient_refund_amount"
            limit = expected.amount_captured if expected.is_captured else AMOUNT
            assert expected.amount_asked_back + amount > limit

    @invariant()
    def everything_is_as_expected(self) -> None:
        for payment_id, expected in self.expected.items():
            payment = self.payment(payment_id)
            shown = (payment["status"], payment["captured"], payment["amount_captured"])
            assert shown == (expected.status, expected.is_captured, expected.amount_captured)
            assert payment["amount_refunded"] <= expected.amount_asked_back

    def payment(self, payment_id: str) -> dict[str, Any]:
        answer = self.api.get(f"/payments/{payment_id}")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


def eventually(
    look: Callable[[], dict[str, Any]], is_there: Callable[[dict[str, Any]], bool], patience_s: float = 20
) -> dict[str, Any]:
    deadline = time.monotonic() + patience_s
    while not is_there(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def api(stack: Stack) -> Any:
    merchant = merchants.create(stack.installation, os.environ, "State machine", f"{secrets.token_hex(6)}@example.com")
    with merchants.client(stack.installation, merchant) as client:
        yield client


def test_any_order_of_actions(api: httpx.Client) -> None:
    Shop.api = api
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
