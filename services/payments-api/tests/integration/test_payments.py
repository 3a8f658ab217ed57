"""Payments: accepting, the order's rules, checkout."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from typing import Any

import pytest

CARD = {"number": "4111 1111-1111 1111", "expiry_month": "12", "expiry_year": 99, "cvv": "123", "holder_name": "A"}


async def test_by_upi(gateway: Any) -> None:
    answer = await gateway.pay(notes={"cart": "c-1"})
    payment = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"pay_[A-Za-z0-9]{16}", payment["id"])
    assert list(payment) == [
        "id", "order_id", "amount", "currency", "method", "vpa", "status", "captured", "amount_captured",
        "amount_refunded", "refund_status", "error_code", "error_description", "error_reason", "notes", "created_at",
        "updated_at",
    ]  # fmt: skip
    assert (payment["status"], payment["amount"], payment["captured"]) == ("pending", 50000, False)
    assert await gateway.get(f"/payments/{payment['id']}") == payment
    assert await gateway.events(payment["id"]) == [("payment.created", 1), ("payment.pending", 2)]


async def test_by_card(gateway: Any) -> None:
    payment = (await gateway.pay(method="card", vpa=None, card=CARD)).json()
    assert (payment["card_network"], payment["card_last4"]) == ("visa", "1111")
    assert "vpa" not in payment
    row = await gateway.database.fetch_one("SELECT card_token FROM payments WHERE id = $1", payment["id"])
    card = await gateway.using.vault.load(row["card_token"])
    assert (card.number, card.cvv, card.expiry_year) == ("4111111111111111", "123", 2099)
    sent = await gateway.database.fetch(
        "SELECT event_type, payload FROM outbox WHERE payload LIKE '%' || $1 || '%' ORDER BY id", payment["id"]
    )
    assert [row["card_token"] in message["payload"] for message in sent] == [True, False]


async def test_a_card_payment_without_a_card_uses_the_test_visa_in_test_mode_only(open_gateway: Any) -> None:
    async with open_gateway() as testing:
        body = {"amount": 1000, "currency": "INR", "method": "card", "order_id": "order_12345", "vpa": "test@upi"}
        answer = await testing.api.post("/payments", json=body)
        assert (answer.status_code, answer.json()["card_last4"]) == (201, "4242")
    async with open_gateway(TEST_MODE="false") as live:
        answer = await live.api.post("/payments", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_CARD")


@pytest.mark.parametrize(
    ("fields", "status", "code", "text"),
    [
        ({"order_id": "nowhere"}, 404, "NOT_FOUND_ERROR", "Order not found"),
        ({"order_id": "no where"}, 404, "NOT_FOUND_ERROR", "Order not found"),
        ({"order_id": "no where", "amount": 500}, 400, "BAD_REQUEST_ERROR", None),
        ({"amount": 49999}, 400, "BAD_REQUEST_ERROR", None),
        ({"amount": 99}, 400, "BAD_REQUEST_ERROR", "amount must be at least 100"),
        ({"currency": "USD"}, 400, "BAD_REQUEST_ERROR", None),
        ({"vpa": "nonsense"}, 400, "INVALID_VPA", "VPA format invalid"),
        ({"vpa": None}, 400, "INVALID_VPA", "VPA format invalid"),
        (
            {"method": "card", "card": {**CARD, "number": "4111111111111112"}},
            400,
            "INVALID_CARD",
            "Card validation failed",
        ),
        ({"method": "card", "card": {**CARD, "expiry_year": 20}}, 400, "EXPIRED_CARD", "Card expiry date invalid"),
    ],
)
async def test_refusals(gateway: Any, fields: dict[str, Any], status: int, code: str, text: str | None) -> None:
    answer = await gateway.pay(**fields)
    problem = answer.json()
    assert (answer.status_code, problem["error"]["code"]) == (status, code)
    assert text is None or problem["detail"] == text


async def test_amounts_that_agree_are_welcome(gateway: Any) -> None:
    assert (await gateway.pay(amount=50000, currency="INR")).status_code == 201
    assert (await gateway.pay("own-reference", amount=700)).json()["amount"] == 700
    assert (await gateway.pay("own-reference")).json()["amount"] == 700
    assert (await gateway.pay("own-reference", amount=800)).json()["error"]["reason"] == "amount_mismatch"


async def test_two_merchants_may_have_the_same_reference(gateway: Any) -> None:
    other = await gateway.other_merchant("same-reference@example.com")
    mine = await gateway.pay("shared-reference", amount=700)
    body = {"order_id": "shared-reference", "amount": 900, "method": "upi", "vpa": "a@b"}
    theirs = await gateway.api.post("/payments", json=body, headers=other)
    assert (mine.json()["amount"], theirs.json()["amount"]) == (700, 900)
    assert (await gateway.api.get(f"/payments/{mine.json()['id']}", headers=other)).status_code == 404


async def test_an_order_takes_one_payment(gateway: Any) -> None:
    order = (await gateway.order())["id"]
    first = (await gateway.pay(order)).json()["id"]
    busy = await gateway.pay(order)
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "ORDER_PAYMENT_IN_PROGRESS")
    await gateway.decide(first, reason="insufficient_funds")
    second = (await gateway.pay(order)).json()["id"]
    await gateway.decide(second)
    done = await gateway.pay(order)
    assert (done.status_code, done.json()["error"]["code"]) == (400, "ORDER_ALREADY_PAID")
    assert (await gateway.get(f"/orders/{order}"))["status"] == "paid"
    assert (await gateway.api.post(f"/payments/{second}/cancel")).status_code == 200
    assert (await gateway.get(f"/orders/{order}"))["amount_paid"] == 0
    assert (await gateway.pay(order)).status_code == 201


async def test_checkout(gateway: Any) -> None:
    anyone = {"X-Api-Key": "", "X-Api-Secret": "", "Idempotency-Key": "click"}
    body = {"order_id": "order_test_123", "method": "upi", "vpa": "user@paytm", "amount": 1}
    first = await gateway.api.post("/payments/public", json=body, headers=anyone)
    await gateway.using.redis.flushdb()
    again = await gateway.api.post("/payments/public", json=body, headers=anyone)
    assert (first.status_code, first.content) == (201, again.content)
    made = first.json()
    assert "vpa" not in made
    assert made["amount"] == 50000
    path = f"/payments/{made['id']}/public"
    assert (await gateway.get(path))["status"] == "pending"
    await gateway.decide(made["id"])
    asked = {"client_token": made["client_token"], "key": "key_test_abc123"}
    signing_key = hmac.new(b"secret_test_xyz789", b"checkout-signature", hashlib.sha256).hexdigest()
    expected = hmac.new(signing_key.encode(), f"order_test_123|{made['id']}".encode(), hashlib.sha256).hexdigest()
    assert (await gateway.get(path, params=asked))["signature"] == expected
    assert "signature" not in await gateway.get(path, params={**asked, "client_token": "1.x"})
    assert "signature" not in await gateway.get(path, params={**asked, "key": "key_test_other"})
    assert "signature" not in await gateway.get(path)


async def test_checkout_needs_a_registered_order(gateway: Any) -> None:
    body = {"order_id": "unregistered", "method": "upi", "vpa": "user@paytm", "amount": 500}
    answer = await gateway.api.post("/payments/public", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Order not found")


async def test_waiting_for_a_verdict(gateway: Any) -> None:
    payment_id = (await gateway.pay()).json()["id"]
    waiting = asyncio.create_task(gateway.get(f"/payments/{payment_id}/public", params={"wait": 10}))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await gateway.decide(payment_id, reason="payment_declined")
    async with asyncio.timeout(2):
        answer = await waiting
    assert (answer["status"], answer["error_code"], answer["error_reason"]) == (
        "failed",
        "PAYMENT_FAILED",
        "payment_declined",
    )


@pytest.mark.parametrize("payment_id", ["pay_nope", "x" * 500, "pay_" + "é" * 16])
async def test_unknown_payments(gateway: Any, payment_id: str) -> None:
    for path in ("", "/public", "/timeline"):
        assert (await gateway.api.get(f"/payments/{payment_id}{path}")).status_code == 404
    for action in ("capture", "cancel"):
        assert (await gateway.api.post(f"/payments/{payment_id}/{action}")).status_code == 404
