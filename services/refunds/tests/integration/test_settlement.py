"""Refund, capture and cancel of one payment meet on one row: no order of them lets more out than came in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .conftest import Bank, PaymentsApi, Service, Start


async def test_capture_takes_what_was_not_refunded(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id, 20_000)
    decided = await service.settle(payment_id, "capture")

    assert decided.json() == {"kind": "capture", "amount_captured": 30_000, "amount_refunded": 20_000, "is_first": True}
    assert (await service.merchant.refund(payment_id, 30_001)).status_code == 400
    assert (await service.merchant.refund(payment_id, 30_000)).status_code == 201


async def test_what_a_partial_capture_let_go_cannot_be_refunded(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    assert (await service.settle(payment_id, "capture", 30_000)).json()["amount_captured"] == 30_000
    assert (await service.merchant.refund(payment_id, 30_001)).status_code == 400
    assert (await service.merchant.refund(payment_id)).json()["amount"] == 30_000


async def test_capture_of_more_than_is_left_is_refused(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id, 20_000)
    refused = await service.settle(payment_id, "capture", 30_001)

    assert refused.status_code == 400
    assert refused.json()["error"]["reason"] == "capture_amount_exceeds_available"
    assert (await service.settle(payment_id, "capture", 30_000)).status_code == 200


async def test_nothing_left_to_capture_or_cancel(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id)
    assert (await service.settle(payment_id, "capture")).json()["error"]["reason"] == "payment_not_capturable"
    assert (await service.settle(payment_id, "cancel")).json()["error"]["reason"] == "payment_not_cancellable"


async def test_a_cancelled_payment_is_not_refundable_at_once(service: Service, payments_api: PaymentsApi) -> None:
    """No event has to arrive first."""
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id, 20_000)
    decided = await service.settle(payment_id, "cancel")
    refused = await service.merchant.refund(payment_id, 1)

    assert decided.json() == {"kind": "cancel", "amount_captured": 0, "amount_refunded": 20_000, "is_first": True}
    assert (refused.status_code, refused.json()["detail"]) == (400, "Payment not in refundable state")


async def test_the_first_decision_stays(service: Service, payments_api: PaymentsApi) -> None:
    """Whoever crashed after it hears it again, whatever it asks for now."""
    payment_id = payments_api.add()
    await service.settle(payment_id, "capture", 30_000)
    for kind, amount in (("capture", 30_000), ("capture", None), ("cancel", None)):
        again = (await service.settle(payment_id, kind, amount)).json()
        assert again == {"kind": "capture", "amount_captured": 30_000, "amount_refunded": 0, "is_first": False}


async def test_a_release_that_fails_after_the_capture_is_not_refundable_again(
    service: Service, payments_api: PaymentsApi, bank: Bank
) -> None:
    """Its amount went back to the shopper with the rest of the authorisation."""
    payment_id = payments_api.add()
    release = (await service.merchant.refund(payment_id, 20_000)).json()
    await service.settle(payment_id, "capture")
    await bank.answer(release["id"], reason="refund_declined")
    await service.merchant.wait_for(release["id"], "failed")

    assert (await service.merchant.refund(payment_id, 30_001)).status_code == 400
    assert (await service.merchant.refund(payment_id, 30_000)).status_code == 201


async def test_refunds_race_with_a_capture(start: Start, payments_api: PaymentsApi, query: Callable[..., Any]) -> None:
    payments = [payments_api.add() for _ in range(20)]
    async with start() as one, start("web") as two:
        for payment_id in payments:
            answers = await asyncio.gather(
                *(two.merchant.refund(payment_id, 5_000) for _ in range(6)),
                one.settle(payment_id, "capture", 30_000),
                *(one.merchant.refund(payment_id, 5_000) for _ in range(6)),
            )
            captured = answers[6]
            refunded = sum(5_000 for answer in answers if answer.status_code == 201)
            if captured.status_code == 400:  # too much had been refunded before
                assert refunded > 20_000
            else:
                before = captured.json()["amount_refunded"]
                assert before + 30_000 <= 50_000  # released before, and captured
                assert refunded - before <= 30_000  # refunded out of what was captured
    rows = await query("SELECT * FROM balances WHERE payment_id = ANY($1)", payments)
    assert len(rows) == 20


async def test_refunds_race_with_a_cancel(start: Start, payments_api: PaymentsApi) -> None:
    async with start() as one, start("web") as two:
        for _ in range(20):
            payment_id = payments_api.add()
            answers = await asyncio.gather(
                *(two.merchant.refund(payment_id, 5_000) for _ in range(3)),
                one.settle(payment_id, "cancel"),
                *(two.merchant.refund(payment_id, 5_000) for _ in range(3)),
            )
            accepted = sum(5_000 for answer in answers if answer.status_code == 201)
            # The void is the rest of what had been refunded by then: nothing is given back twice.
            assert answers[3].json()["amount_refunded"] == accepted


async def test_only_services_may_settle(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    answer = await service.merchant.http.post(f"/internal/v1/payments/{payment_id}/settlement", json={})
    assert answer.status_code in (400, 401)
    body = {"merchant_id": "550e8400-e29b-41d4-a716-446655440000", "sequence": 1, "amount": 1, "currency": "INR"}
    path = f"/internal/v1/payments/{payment_id}/settlement"
    assert (await service.merchant.http.post(path, json=body | {"kind": "cancel"})).status_code == 401
