"""Idempotency keys work on refunds as on payments."""

from __future__ import annotations

import asyncio

import redis.asyncio as redis

from gateway_local.sandbox import Sandbox

from .conftest import PaymentsApi, Service, Start


async def test_a_repeat_answers_byte_for_byte(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    first = await service.merchant.refund(payment_id, 1000, key="refund-1", notes={"b": 1, "a": "₹"})
    again = await service.merchant.refund(payment_id, 1000, key="refund-1", notes={"b": 1, "a": "₹"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_a_key_belongs_to_one_request(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    await service.merchant.refund(payment_id, 1000, key="refund-2")
    for other in (
        await service.merchant.refund(payment_id, 1001, key="refund-2"),
        await service.merchant.refund(payments_api.add(), 1000, key="refund-2"),
    ):
        assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_fifty_at_once_over_two_copies_make_one(
    start: Start, payments_api: PaymentsApi, sandbox: Sandbox
) -> None:
    payment_id = payments_api.add()
    async with start() as one, start("web") as two:
        calls = [(one if n % 2 else two).merchant.refund(payment_id, 1000, key="refund-3") for n in range(50)]
        answers = await asyncio.gather(*calls)
        listed = await one.merchant.http.get(f"/api/v1/payments/{payment_id}/refunds")

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(listed.json()["data"]) == 1


async def test_the_key_outlives_redis(service: Service, payments_api: PaymentsApi, sandbox: Sandbox) -> None:
    payment_id = payments_api.add()
    first = await service.merchant.refund(payment_id, 1000, key="refund-4")
    async with redis.Redis.from_url(sandbox.redis_url) as client:
        await client.flushdb()
    again = await service.merchant.refund(payment_id, 1000, key="refund-4")

    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_malformed_requests_leave_the_key_free(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    assert (await service.merchant.refund(payment_id, 0, key="refund-5")).status_code == 400
    assert (await service.merchant.refund(payment_id, 1000, key="refund-5")).status_code == 201


async def test_a_refusal_is_kept(service: Service, payments_api: PaymentsApi) -> None:
    payment_id = payments_api.add()
    first = await service.merchant.refund(payment_id, 50_001, key="refund-6")
    again = await service.merchant.refund(payment_id, 50_001, key="refund-6")

    assert (first.status_code, again.status_code) == (400, 400)
    assert again.json()["error"] == first.json()["error"]
