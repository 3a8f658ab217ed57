"""200 payments are in flight and one part of the gateway dies: each payment ends, is charged once, and its webhook arrives."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Merchant

from gateway_local.stack import Stack, wait_until

PAYMENTS = 200
PATIENCE_S = 60


def accept_while(merchant: Merchant, harm: Callable[[], object]) -> list[str]:
    """Accept `PAYMENTS` payments from 8 connections and do `harm` when half of them are in; returns the accepted ids."""
    half = threading.Event()
    accepted: list[str] = []

    def one(number: int) -> None:
        accepted.append(merchant.pay(amount=1000 + number)["id"])
        if len(accepted) >= PAYMENTS // 2:
            half.set()

    with ThreadPoolExecutor(9) as pool:
        harming = pool.submit(lambda: (half.wait(30), harm()))
        list(pool.map(one, range(PAYMENTS)))
        harming.result()
    return accepted


def charges_by_the_bank(stack: Stack, payment_ids: Sequence[str]) -> Counter[str]:
    async def read() -> Counter[str]:
        connection = await asyncpg.connect(stack.status()["addresses"]["database_url"]["bank"])
        try:
            rows = await connection.fetch(
                "SELECT payment_id FROM operations WHERE kind = 'charge' AND payment_id = ANY($1::text[])", payment_ids
            )
        finally:
            await connection.close()
        return Counter(row["payment_id"] for row in rows)

    return asyncio.run(read())


def assert_books_balance(stack: Stack, merchant: Merchant, accepted: list[str]) -> None:
    assert len(set(accepted)) == PAYMENTS
    wait_until(
        lambda: all(merchant.payment(one)["status"] != "pending" for one in accepted), PATIENCE_S, 0.5, "verdicts"
    )
    charges = charges_by_the_bank(stack, accepted)
    assert set(charges) == set(accepted)
    assert set(charges.values()) == {1}

    def unsent() -> set[tuple[str, str]]:
        arrived = {(hook["event"]["data"]["payment"]["id"], hook["event"]["event"]) for hook in merchant.webhooks()}
        wanted = {
            (one, event) for one in accepted for event in ("payment.created", "payment.pending", "payment.success")
        }
        return wanted - arrived

    wait_until(lambda: not unsent(), PATIENCE_S, 0.5, "every webhook")
    assert all(hook["verified"] for hook in merchant.webhooks())


@pytest.mark.parametrize("victim", ["processor", "payments-api-worker", "webhooks-worker", "rabbitmq", "redis"])
def test_a_killed_process_costs_nothing(stack: Stack, merchant: Merchant, victim: str) -> None:
    killed: list[int] = []
    try:
        accepted = accept_while(merchant, lambda: killed.append(stack.kill(victim)))
        stack.wait_healthy(victim, not_pid=killed[0])
        assert_books_balance(stack, merchant, accepted)
    finally:
        stack.wait_healthy()


def test_a_broker_that_loses_its_data_costs_nothing(stack: Stack, merchant: Merchant) -> None:
    data = Path(stack.status()["servers"]["rabbitmq"]["data_dir"])

    def wipe() -> None:
        stack.hold("rabbitmq")
        shutil.rmtree(data)
        stack.release("rabbitmq")

    try:
        assert_books_balance(stack, merchant, accept_while(merchant, wipe))
    finally:
        stack.wait_healthy()
