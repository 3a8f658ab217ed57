"""200 refunds are in flight and one part dies: each ends once, none is given back twice by the bank."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import httpx
import pytest
from tests.conftest import Merchant

from gateway_local.stack import Stack, wait_until

PAYMENTS, REFUNDS_EACH = 20, 10
DECLINED_AMOUNT = 2468
PATIENCE_S = 90


def insist(merchant: Merchant, payment_id: str, amount: int) -> str:
    """As a merchant's server does: the same key until there is an answer."""
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer = merchant.api.post(f"/payments/{payment_id}/refunds", json={"amount": amount}, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 201:
            refund_id: str = answer.json()["id"]
            return refund_id
        assert answer is None or answer.status_code in (409, 502, 503, 504), answer.text
        assert time.monotonic() < deadline
        time.sleep(0.1)


def statuses(merchant: Merchant, payment_id: str) -> dict[str, str]:
    answer = merchant.api.get(f"/payments/{payment_id}/refunds", params={"limit": 100})
    return {refund["id"]: refund["status"] for refund in answer.json()["data"]}


def booked(stack: Stack, references: list[str]) -> Counter[tuple[str, str]]:
    async def read() -> Counter[tuple[str, str]]:
        connection = await asyncpg.connect(stack.status()["addresses"]["database_url"]["bank"])
        try:
            rows = await connection.fetch(
                "SELECT reference, outcome FROM operations WHERE kind = 'refund' AND reference = ANY($1)", references
            )
        finally:
            await connection.close()
        return Counter((row["reference"], row["outcome"]) for row in rows)

    return asyncio.run(read())


@pytest.mark.parametrize("victim", ["refunds-web", "refunds-worker", "processor", "rabbitmq"])
def test_each_refund_ends_once(stack: Stack, merchant: Merchant, victim: str) -> None:
    payments = [merchant.pay(amount=50_000, vpa="success@upi")["id"] for _ in range(PAYMENTS)]
    for payment_id in payments:
        assert merchant.settled(payment_id)["status"] == "success"
    half = threading.Event()
    made: dict[str, tuple[str, int]] = {}

    def give_back(number: int) -> None:
        payment_id = payments[number % PAYMENTS]
        amount = DECLINED_AMOUNT if number % 7 == 0 else 1_000 + number
        made[insist(merchant, payment_id, amount)] = (payment_id, amount)
        if len(made) >= PAYMENTS * REFUNDS_EACH // 2:
            half.set()

    def kill() -> int:
        half.wait(PATIENCE_S)
        return stack.kill(victim)

    try:
        with ThreadPoolExecutor(9) as pool:
            killing = pool.submit(kill)
            list(pool.map(give_back, range(PAYMENTS * REFUNDS_EACH)))
            pid = killing.result()
        stack.wait_healthy(victim, not_pid=pid)
        wait_until(
            lambda: all("pending" not in statuses(merchant, one).values() for one in payments), PATIENCE_S, 0.5, "ends"
        )
    finally:
        stack.wait_healthy()

    found = {refund_id: status for one in payments for refund_id, status in statuses(merchant, one).items()}
    expected = {
        refund_id: "failed" if amount == DECLINED_AMOUNT else "processed" for refund_id, (_, amount) in made.items()
    }
    assert found == expected
    outcomes = {"processed": "succeeded", "failed": "declined"}
    assert booked(stack, list(made)) == Counter((one, outcomes[status]) for one, status in expected.items())
    sums = Counter[str]()
    for refund_id, (payment_id, amount) in made.items():
        sums[payment_id] += amount if expected[refund_id] == "processed" else 0
    wait_until(
        lambda: all(merchant.payment(one)["amount_refunded"] == sums[one] for one in payments), 30, 0.5, "the sums"
    )
