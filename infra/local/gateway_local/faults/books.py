"""The balance of one round: the auditor of the load tests, and what only the merchant's side can know."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import asyncpg
from loadtests import audit
from loadtests.sink import Received

from gateway_local.faults.shoppers import Shoppers


async def balance(
    status: dict[str, Any], merchant_id: str, shoppers: Shoppers, received: list[Received]
) -> audit.Balance:
    """Every check of `loadtests.audit`, and: one key makes one object, on either side; no parked message is hidden."""
    deliveries = [asdict(one) for one in received]
    evidence = audit.Evidence(shoppers.accepted, deliveries, repeats_are_counted=True)
    found = await audit.balance(status, merchant_id, evidence)
    keys = len(shoppers.payments) + len(shoppers.refunds)
    found.add("no key was answered with two objects", keys, shoppers.keys_with_two_objects())
    found.add("every key has its answer and verdict", keys, ["open"] * shoppers.open())
    found.add("no rightful request was refused for good", keys, shoppers.refusals())
    connection = await asyncpg.connect(status["addresses"]["database_url"]["postgres"])
    try:
        doubled = await connection.fetch(
            "SELECT order_id FROM payments.payments WHERE merchant_id = $1 GROUP BY order_id HAVING count(*) > 1",
            merchant_id,
        )
    finally:
        await connection.close()
    found.add("no key made two payments", keys, (row["order_id"] for row in doubled))
    return found


def repeats(received: list[Received]) -> int:
    """Webhooks that came more often than once: allowed by "at least once", and counted."""
    return sum(count - 1 for count in Counter(one.event_id for one in received).values())
