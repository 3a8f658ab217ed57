"""Refunds from request to result, with the same guarantees as charges."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Start, World, refund_of


@pytest.mark.parametrize(
    ("amount", "event_type", "reason"),
    [(1000, "refund.executed", None), (2468, "refund.declined", "refund_declined")],
)
async def test_refunds(world: World, start: Start, amount: int, event_type: str, reason: str | None) -> None:
    sent = refund_of(amount)
    async with start():
        await world.publish(sent, sent)
        told, result = await world.result_of(sent)
        await world.publish(sent)
        await asyncio.sleep(0.3)

    assert (told, result.get("reason")) == (event_type, reason)
    assert len(world.results_of(sent)) == 1
    (booked,) = await world.bank(sent.reference)
    assert (booked["kind"], booked["amount"], booked["asked_count"]) == ("refund", amount, 1)


async def test_test_mode_delay_is_for_refunds_too(world: World, start: Start) -> None:
    sent = refund_of()
    async with start(TEST_PROCESSING_DELAY="700"):
        await world.publish(sent)
        await world.result_of(sent)

    operation = await world.operation(sent.reference)
    assert operation is not None
    assert 0.7 <= (operation["answered_at"] - operation["asked_at"]).total_seconds() < 2
