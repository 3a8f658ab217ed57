"""Many at once: one key makes one payment, one order takes one, one capture succeeds."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from gateway_common.errors import DatabaseUnavailableError
from gateway_common.idempotency.keys import IdempotencyKeys
from payments_api.repositories import new_payments

from .conftest import CARD

CLOSED_PORT = "redis://127.0.0.1:1/0"


async def count(gateway: Any, order_id: str) -> int:
    found: int = await gateway.database.fetch_value("SELECT count(*) FROM payments WHERE order_id = $1", order_id)
    return found


async def test_fifty_requests_with_one_key(gateway: Any) -> None:
    answers = await asyncio.gather(*(gateway.pay("fifty", key="one", amount=500) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49
    assert await count(gateway, "fifty") == 1


@pytest.mark.parametrize("attempt", range(3))
async def test_fifty_requests_while_redis_is_flushed(gateway: Any, attempt: int) -> None:
    order_id = f"flushed-{attempt}"

    async def flush() -> None:
        for _ in range(20):
            await asyncio.sleep(0.01)
            await gateway.using.redis.flushdb()

    *answers, _ = await asyncio.gather(*(gateway.pay(order_id, key=order_id, amount=500) for _ in range(50)), flush())
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await count(gateway, order_id) == 1


async def test_fifty_requests_without_redis(open_gateway: Any) -> None:
    async with open_gateway(REDIS_URL=CLOSED_PORT) as gateway:
        answers = await asyncio.gather(*(gateway.pay("no-redis", key="two", amount=500) for _ in range(50)))
        assert Counter(answer.status_code for answer in answers) == {201: 50}
        assert len({answer.content for answer in answers}) == 1
        assert await count(gateway, "no-redis") == 1


async def test_two_processes_and_one_key(open_gateway: Any) -> None:
    async with open_gateway() as one, open_gateway() as other:
        requests = (
            process.pay("two-processes", key="three", amount=500) for process in (one, other) for _ in range(20)
        )
        answers = await asyncio.gather(*requests)
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert await count(one, "two-processes") == 1


async def test_a_crash_between_commit_and_kept_answer(open_gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_gateway() as gateway:

        async def die(*_: object) -> None:
            raise RuntimeError("killed here")

        with monkeypatch.context() as patched:
            patched.setattr(IdempotencyKeys, "_store", die)
            assert (await gateway.pay("crashed", key="four", amount=500)).status_code == 500
        await gateway.using.redis.flushdb()  # stands for the 10 s after which a dead claim ends
        again = await gateway.pay("crashed", key="four", amount=500)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert await count(gateway, "crashed") == 1


async def test_a_card_outlives_a_connection_lost_at_the_commit(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = new_payments.accept

    async def accept_and_lose_the_answer(*arguments: Any, **named: Any) -> None:
        await accept(*arguments, **named)
        raise DatabaseUnavailableError

    await gateway.using.redis.flushdb()
    with monkeypatch.context() as patched:
        patched.setattr(new_payments, "accept", accept_and_lose_the_answer)
        lost = await gateway.pay("lost-card", key="lost-card", amount=500, method="card", vpa=None, card=CARD)
        assert lost.status_code == 503
    again = await gateway.pay("lost-card", key="lost-card", amount=500, method="card", vpa=None, card=CARD)
    assert again.status_code == 201
    assert await count(gateway, "lost-card") == 1
    token = await gateway.database.fetch_value("SELECT card_token FROM payments WHERE order_id = $1", "lost-card")
    assert await gateway.using.vault.load(token) is not None


async def test_a_key_in_flight(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_common.idempotency.keys.WAIT_SECONDS", 0.1)
    claim = (
        b"R"
        + gateway.using.keys.fence(
            UUID("550e8400-e29b-41d4-a716-446655440000"), "five", "POST", "/api/v1/orders", b'{"amount":100}'
        ).fingerprint
        + b"another!"
    )
    await gateway.using.redis.set("idem:{550e8400-e29b-41d4-a716-446655440000}:five", claim)
    answer = await gateway.api.post("/orders", json={"amount": 100}, headers={"Idempotency-Key": "five"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert answer.headers["retry-after"] == "1"


async def test_refusals_are_kept_and_validation_is_not(gateway: Any) -> None:
    unknown = await gateway.pay("not-yet", key="six")
    await gateway.pay("not-yet", amount=500)
    again = await gateway.pay("not-yet", key="six")
    assert (unknown.status_code, again.status_code) == (404, 404)
    assert unknown.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert (await gateway.pay("not-yet", key="seven", vpa="bad")).status_code == 400
    assert (await gateway.pay("not-yet", key="seven")).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é"])
async def test_what_is_no_key(gateway: Any, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = await gateway.api.post("/orders", json={"amount": 100}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "Idempotency-Key")


async def test_an_expired_key_can_be_used_again(gateway: Any) -> None:
    first = (await gateway.pay("expired", key="eight", amount=500)).json()["id"]
    await gateway.using.redis.flushdb()
    await gateway.database.execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'eight'"
    )
    second = (await gateway.pay("expired", key="eight", amount=500)).json()["id"]
    assert first != second


async def test_a_hundred_attempts_on_one_order(gateway: Any) -> None:
    order = (await gateway.order())["id"]
    answers = await asyncio.gather(*(gateway.pay(order) for _ in range(100)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 99}
    assert await count(gateway, order) == 1


async def test_many_first_payments_of_one_reference(gateway: Any) -> None:
    answers = await asyncio.gather(*(gateway.pay("all-first", amount=500) for _ in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 40}


async def test_a_hundred_captures(gateway: Any) -> None:
    payment_id = await gateway.paid()
    answers = await asyncio.gather(*(gateway.api.post(f"/payments/{payment_id}/capture") for _ in range(100)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 99}
    assert [type_ for type_, _ in await gateway.events(payment_id)].count("payment.captured") == 1


async def test_captures_and_cancellations_at_once(gateway: Any) -> None:
    payment_id = await gateway.paid((await gateway.order())["id"])
    actions = [{"amount": 1 + number} for number in range(10)]
    captures = [gateway.api.post(f"/payments/{payment_id}/capture", json=body) for body in actions]
    cancels = [gateway.api.post(f"/payments/{payment_id}/cancel") for _ in range(10)]
    answers = await asyncio.gather(*(one for pair in zip(captures, cancels, strict=True) for one in pair))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    payment = await gateway.get(f"/payments/{payment_id}")
    assert (payment["status"] == "cancelled") is not payment["captured"]
