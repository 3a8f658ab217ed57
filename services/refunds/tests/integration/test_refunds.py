"""Refunds from request to the bank's answer, on real servers."""

from __future__ import annotations

import asyncio

from .conftest import Bank, PaymentsApi, Service, Start


async def test_a_refund_is_accepted_executed_and_told(service: Service, payments_api: PaymentsApi, bank: Bank) -> None:
    payment_id = payments_api.add()
    response = await service.merchant.refund(payment_id, 20_000, reason="Customer request", notes={"why": "late"})

    assert response.status_code == 201
    refund = response.json()
    assert {
        name: refund[name] for name in ("payment_id", "amount", "currency", "reason", "status", "processed_at")
    } == {
        "payment_id": payment_id,
        "amount": 20_000,
        "currency": "INR",
        "reason": "Customer request",
        "status": "pending",
        "processed_at": None,
    }
    request = await bank.requested(refund["id"])
    assert (request["amount"], request["payment_id"]) == (20_000, payment_id)
    await bank.answer(refund["id"])
    done = await service.merchant.wait_for(refund["id"], "processed")
    assert done["processed_at"] >= done["created_at"]
    await asyncio.sleep(0.2)
    told = [(type_, body) for type_, body in bank.events if body["refund"]["id"] == refund["id"]]
    assert [type_ for type_, _ in told] == ["refund.created", "refund.processed"]
    assert [body["sequence"] for _, body in told] == [4, 5]
    assert [(body["amount_refunded"], body["refund_status"]) for _, body in told] == [(0, None), (20_000, "partial")]


async def test_default_is_all_that_is_left(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id, 20_000)
    path = f"/api/v1/payments/{payment_id}/refunds"

    assert (await service.merchant.http.post(path)).json()["amount"] == 30_000
    again = await service.merchant.http.post(path, content=b"{}")
    assert again.status_code == 400
    assert again.json()["error"]["reason"] == "insufficient_refund_amount"


async def test_a_failed_refund_gives_its_amount_back(service: Service, payments_api: PaymentsApi, bank: Bank) -> None:
    payment_id = payments_api.add(2468)
    first = (await service.merchant.refund(payment_id, 2468)).json()
    assert (await service.merchant.refund(payment_id, 1)).status_code == 400
    await bank.answer(first["id"], reason="refund_declined")
    failed = await service.merchant.wait_for(first["id"], "failed")
    assert (failed["error_reason"], failed["processed_at"]) == ("refund_declined", None)
    assert (await service.merchant.refund(payment_id, 2468)).status_code == 201


async def test_answers_that_come_twice_or_contradict_change_nothing(
    service: Service, payments_api: PaymentsApi, bank: Bank, query: object
) -> None:
    payment_id = payments_api.add()
    refund = (await service.merchant.refund(payment_id, 50_000)).json()
    await bank.answer(refund["id"])
    await bank.answer(refund["id"])
    await bank.answer(refund["id"], reason="refund_declined")
    await service.merchant.wait_for(refund["id"], "processed")
    await asyncio.sleep(0.3)

    assert (await service.merchant.get(refund["id"]))["status"] == "processed"
    assert bank.events_of(refund["id"]) == ["refund.created", "refund.processed"]
    assert (await service.merchant.refund(payment_id, 1)).status_code == 400


async def test_a_hundred_parallel_refunds_over_two_copies_keep_the_cap(
    start: Start, payments_api: PaymentsApi, bank: Bank
) -> None:
    payment_id = payments_api.add(50_000)
    async with start() as one, start("web") as two:
        responses = await asyncio.gather(
            *((one if number % 2 else two).merchant.refund(payment_id, 5_000) for number in range(100))
        )
        statuses = sorted(response.status_code for response in responses)
        assert statuses == [201] * 10 + [400] * 90
        refused = next(response for response in responses if response.status_code == 400).json()
        assert refused["detail"] == "Refund amount exceeds available amount"
        assert refused["error"]["reason"] == "insufficient_refund_amount"
        for response in responses:
            if response.status_code == 201:
                await bank.answer(response.json()["id"])
                await one.merchant.wait_for(response.json()["id"], "processed")

    assert sum(request["amount"] for request in bank.requests.values() if request["payment_id"] == payment_id) == 50_000
    versions = [body["refund_version"] for _, body in bank.events if body["refund"]["payment_id"] == payment_id]
    assert max(versions) == 10


async def test_twenty_parallel_full_refunds_make_one(start: Start, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    async with start() as one, start("web") as two:
        responses = await asyncio.gather(
            *((one if number % 2 else two).merchant.refund(payment_id) for number in range(20))
        )

    assert sorted(response.status_code for response in responses) == [201] + [400] * 19


async def test_only_successful_payments_of_ones_own(service: Service, payments_api: PaymentsApi) -> None:
    for status in ("pending", "failed", "cancelled"):
        refused = await service.merchant.refund(payments_api.add(status=status), 1000)
        assert refused.status_code == 400
        assert refused.json()["detail"] == "Payment not in refundable state"
    own = payments_api.add()
    assert (await service.merchant.refund(own, 1000)).status_code == 201
    foreign = await service.other_merchant.refund(own, 1000)
    assert (foreign.status_code, foreign.json()["detail"]) == (404, "Payment not found")
    assert (await service.merchant.refund("pay_" + "0" * 16, 1000)).status_code == 404
    assert (await service.merchant.refund("nonsense", 1000)).status_code == 404


async def test_payments_api_away(service: Service, payments_api: PaymentsApi, bank: Bank) -> None:
    known, unknown = payments_api.add(), payments_api.add()
    assert (await service.merchant.refund(known, 1000)).status_code == 201
    payments_api.is_down = True
    assert (await service.merchant.refund(known, 1000)).status_code == 201
    refused = await service.merchant.refund(unknown, 1000, key="try-again")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    payments_api.is_down = False
    assert (await service.merchant.refund(unknown, 1000, key="try-again")).status_code == 201


async def test_a_payment_heard_of_by_event_needs_no_call(
    service: Service, payments_api: PaymentsApi, bank: Bank
) -> None:
    payment_id = payments_api.add()
    await bank.publish(
        "payments",
        "payment.success",
        {
            "merchant_id": "550e8400-e29b-41d4-a716-446655440000",
            "sequence": 7,
            "occurred_at": "2026-01-01T00:00:00Z",
            "payment": payments_api.payments.pop(payment_id),
        },
    )
    for _ in range(100):
        response = await service.merchant.refund(payment_id, 1000)
        if response.status_code == 201:
            break
        await asyncio.sleep(0.05)
    assert response.status_code == 201


async def test_overdue_refunds_are_requested_again(start: Start, payments_api: PaymentsApi, bank: Bank) -> None:
    async with start(pending_expected_seconds=0.5) as service:
        refund = (await service.merchant.refund(payments_api.add(), 1000)).json()
        async with asyncio.timeout(10):
            while len([one for one, _ in bank.deliveries if one == refund["id"]]) < 2:
                await asyncio.sleep(0.1)
        await bank.answer(refund["id"])
        await service.merchant.wait_for(refund["id"], "processed")

    assert len({message_id for one, message_id in bank.deliveries if one == refund["id"]}) == 1


async def test_timeline(service: Service, payments_api: PaymentsApi, bank: Bank) -> None:
    payment_id = payments_api.add()
    refund = (await service.merchant.refund(payment_id, 1000)).json()
    await bank.answer(refund["id"])
    await service.merchant.wait_for(refund["id"], "processed")
    entries = (await service.timeline(payment_id)).json()["entries"]

    assert [(entry["service"], entry["type"]) for entry in entries] == [
        ("refunds", "refund.created"),
        ("refunds", "refund.processed"),
    ]
    assert all(entry["data"] == {"refund_id": refund["id"], "amount": 1000, "currency": "INR"} for entry in entries)
    unsigned = await service.merchant.http.get(
        f"/internal/v1/payments/{payment_id}/timeline", params={"merchant_id": "550e8400-e29b-41d4-a716-446655440000"}
    )
    assert unsigned.status_code == 401
