"""Charges from message to result, on real servers."""

from __future__ import annotations

import asyncio

import pytest

from processor.acquirers.simulator.magic_values import DECLINED_CARDS, SUCCESS_CARDS

from .conftest import Start, World, charge_of


async def test_a_charge_is_made_once_and_told_once(world: World, start: Start) -> None:
    sent = charge_of()
    async with start():
        await world.publish(sent)
        event_type, result = await world.result_of(sent)

    assert event_type == "charge.succeeded"
    assert (result["amount"], result["currency"]) == (50_000, "INR")
    (booked,) = await world.bank(sent.reference)
    assert (booked["outcome"], booked["asked_count"]) == ("succeeded", 1)
    assert result["bank_reference"] == f"bank_charge_{booked['id']:012d}"
    operation = await world.operation(sent.reference)
    assert operation is not None
    assert operation["request_id"] == f"request-{sent.reference}"


@pytest.mark.parametrize(
    ("vpa", "event_type", "reason"),
    [
        ("success@razorpay", "charge.succeeded", None),
        ("failure@razorpay", "charge.failed", "payment_declined"),
        ("timeout@upi", "charge.failed", "bank_timeout"),
        ("late@upi", "charge.succeeded", None),
    ],
)
async def test_magic_vpas(world: World, start: Start, vpa: str, event_type: str, reason: str | None) -> None:
    sent = charge_of(vpa=vpa)
    async with start(TEST_PAYMENT_SUCCESS="false" if event_type == "charge.succeeded" else "true"):
        await world.publish(sent)
        told, result = await world.result_of(sent)

    assert (told, result.get("reason")) == (event_type, reason)
    assert len(await world.bank(sent.reference)) == 1


async def test_every_magic_card(world: World, start: Start) -> None:
    expected: dict[str, tuple[str, str | None]] = {
        number: ("charge.failed", reason) for number, reason in DECLINED_CARDS.items()
    }
    expected |= dict.fromkeys(SUCCESS_CARDS, ("charge.succeeded", None))
    sent = {number: charge_of(card_token=await world.store_card(number)) for number in expected}
    async with start():
        await world.publish(*sent.values())
        results = {number: await world.result_of(one) for number, one in sent.items()}

    assert {number: (told, result.get("reason")) for number, (told, result) in results.items()} == expected
    assert await world.redis.keys("card:*") == []  # deleted once the bank has answered


async def test_lost_card_data_fails_the_payment(world: World, start: Start) -> None:
    sent = charge_of(card_token=await world.store_card("4242424242424242"))
    await world.redis.flushdb()
    async with start():
        await world.publish(sent)
        told, result = await world.result_of(sent)

    assert (told, result["reason"]) == ("charge.failed", "card_data_expired")
    (booked,) = await world.bank(sent.reference)
    assert booked["outcome"] == "declined"  # so that a question still on its way cannot charge either


async def test_lost_card_data_of_a_charge_that_the_bank_has_made(world: World, start: Start) -> None:
    """A predecessor asked, and died before it recorded the answer; then Redis was flushed."""
    sent = charge_of(card_token=await world.store_card("4242424242424242"))
    async with start():
        await world.publish(sent)
        await world.result_of(sent)
    await world.query("processor", "DELETE FROM acquirer_operations WHERE reference = $1", sent.reference)
    world.results.clear()
    async with start():
        await world.publish(sent)
        told, _ = await world.result_of(sent)

    assert told == "charge.succeeded"
    (booked,) = await world.bank(sent.reference)
    assert (booked["outcome"], booked["asked_count"]) == ("succeeded", 2)


async def test_repeats_are_absorbed(world: World, start: Start) -> None:
    """Before, during and after the bank thinks."""
    sent = charge_of()
    async with start(TEST_PROCESSING_DELAY="400"):
        await world.publish(sent, sent)
        await asyncio.sleep(0.2)
        await world.publish(sent)
        await world.result_of(sent)
        await world.publish(sent)
        await asyncio.sleep(0.5)

    assert len(world.results_of(sent)) == 1
    (booked,) = await world.bank(sent.reference)
    assert booked["asked_count"] == 1
    assert await world.queue_depth("processor.charges") == 0


async def test_an_unheard_answer_is_repeated(world: World, start: Start) -> None:
    """payments-api asks again about a payment that was decided long ago: it must have missed the answer."""
    sent = charge_of()
    async with start():
        await world.publish(sent)
        first = await world.result_of(sent)
        world.results.clear()
        await world.query(
            "processor",
            "UPDATE acquirer_operations SET told_at = told_at - interval '1 minute' WHERE reference = $1",
            sent.reference,
        )
        await world.publish(sent)
        again = await world.result_of(sent)
        await world.publish(sent)
        await asyncio.sleep(0.3)

    assert again[0] == first[0]
    assert len(world.results_of(sent)) == 1  # the second repeat came too soon after the first
    assert len(await world.bank(sent.reference)) == 1
    ids = await world.query(
        "processor", "SELECT DISTINCT message_id FROM outbox WHERE payload::json->>'payment_id' = $1", sent.reference
    )
    assert len(ids) == 1  # so that the inbox of who did hear it absorbs it


async def test_two_processors_share_the_work_and_neither_charges_twice(world: World, start: Start) -> None:
    sent = [charge_of() for _ in range(300)]
    async with start(TEST_PROCESSING_DELAY="300"), start(TEST_PROCESSING_DELAY="300"):
        await world.publish(*sent)
        await world.publish(*sent)  # repeats land in either process
        for one in sent:
            await world.result_of(one)

    rows = await world.query(
        "bank", "SELECT count(*) FROM operations WHERE reference = ANY($1)", [one.reference for one in sent]
    )
    assert rows[0][0] == 300
    assert all(len(world.results_of(one)) == 1 for one in sent)


async def test_malformed_messages_are_parked_and_others_pass(world: World, start: Start) -> None:
    good, bad = charge_of(), charge_of()
    bad.body["payment"]["amount"] = "many"
    before = await world.queue_depth("processor.charges.parked")
    async with start():
        await world.publish(bad, good)
        await world.result_of(good)
        async with asyncio.timeout(5):
            while await world.queue_depth("processor.charges.parked") == before:
                await asyncio.sleep(0.05)

    assert await world.bank(bad.reference) == []
