"""What goes out in one write is confirmed, returned, split and acknowledged message by message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import aio_pika
import aiormq
import pytest
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import DeliveryError

from gateway_common.broker.batches import Outgoing, send
from gateway_common.broker.connecting import BROKER_ERRORS
from gateway_common.broker.delivery import Delivery, ack_all
from gateway_common.broker.publisher import CONFIRMS_IN_FLIGHT, Publisher
from gateway_common.broker.topology import Exchange
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


@pytest.fixture
async def channel(sandbox: Sandbox) -> AsyncIterator[aiormq.Channel]:
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    async with connection:
        opened = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield cast("aiormq.Channel", await opened.get_underlay_channel())


@pytest.fixture
async def queue(channel: aiormq.Channel) -> str:
    declared = await channel.queue_declare(exclusive=True)
    assert declared.queue is not None
    await channel.queue_bind(declared.queue, Exchange.PAYMENTS.value, "batch.*")
    return declared.queue


def outgoing(number: int, key: str = "batch.one", body: bytes = b"{}") -> Outgoing:
    return Outgoing(key, body, f"evt_{number}", NOW, {"x-request-id": f"req-{number}", "n": number})


async def taken(channel: aiormq.Channel, queue: str, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    arrived = asyncio.Event()

    async def take(message: DeliveredMessage) -> None:
        found.append(Delivery(message, lambda: None))
        if len(found) == count:
            arrived.set()

    await channel.basic_consume(queue, take)
    async with asyncio.timeout(10):
        await arrived.wait()
    return found


async def test_a_batch_arrives_in_order_as_it_was(channel: aiormq.Channel, queue: str) -> None:
    large = bytes(range(256)) * 2000  # over three frames
    batch = [outgoing(0), outgoing(1, "batch.two", large), outgoing(2, body=b""), outgoing(3)]
    for confirmation in await send(channel, "payments", batch):
        await confirmation
    found = await taken(channel, queue, 4)
    assert [one.body for one in found] == [b"{}", large, b"", b"{}"]
    assert [one.message_id for one in found] == ["evt_0", "evt_1", "evt_2", "evt_3"]
    assert [one.type for one in found] == ["batch.one", "batch.two", "batch.one", "batch.one"]
    assert found[3].message_time == NOW
    assert (found[3].request_id, found[3].headers["n"]) == ("req-3", 3)
    assert not channel.confirmations
    assert not channel.message_id_delivery_tag
    await ack_all(found)


async def test_only_the_one_without_a_queue_comes_back(channel: aiormq.Channel, queue: str) -> None:
    batch = [outgoing(0), outgoing(1, "nobody.listens"), outgoing(2)]
    results = await asyncio.gather(*await send(channel, "payments", batch), return_exceptions=True)
    assert isinstance(results[1], DeliveryError)
    assert not any(isinstance(result, BaseException) for result in (results[0], results[2]))
    assert len(await taken(channel, queue, 2)) == 2
    assert not channel.message_id_delivery_tag


async def test_single_publishes_and_batches_may_take_turns(channel: aiormq.Channel, queue: str) -> None:
    for number in range(0, 30, 3):
        together = await send(channel, "payments", [outgoing(number), outgoing(number + 1)])
        properties = aiormq.spec.Basic.Properties(message_id=f"evt_{number + 2}")
        await channel.basic_publish(b"{}", exchange="payments", routing_key="batch.one", properties=properties)
        await asyncio.gather(*together)
    assert [one.message_id for one in await taken(channel, queue, 30)] == [f"evt_{number}" for number in range(30)]


async def test_acknowledged_are_those_and_no_others(channel: aiormq.Channel, queue: str) -> None:
    await asyncio.gather(*await send(channel, "payments", [outgoing(number) for number in range(6)]))
    found = await taken(channel, queue, 6)
    await ack_all([found[1], found[4]])
    await found[3].requeue()
    await found[2].ack(with_all_before=[found[0]])
    await channel.basic_recover(requeue=True)
    again: set[str] = set()
    async with asyncio.timeout(10):
        while again != {"evt_3", "evt_5"}:
            await asyncio.sleep(0.05)
            again = {one.message_id for one in found[6:]}


async def test_a_closed_channel_says_so(channel: aiormq.Channel) -> None:
    await channel.close()
    with pytest.raises(BROKER_ERRORS):
        await send(channel, "payments", [outgoing(0)])


async def test_more_than_fit_in_one_go(sandbox: Sandbox, channel: aiormq.Channel, queue: str) -> None:
    publisher = Publisher(sandbox.broker_url("payments"), Exchange.PAYMENTS, "test")
    try:
        batch: list[Any] = [outgoing(number) for number in range(2 * CONFIRMS_IN_FLIGHT + 10)]
        batch[5] = outgoing(5, "nobody.listens")
        confirmed = await publisher.publish_all(batch)
        assert [number for number, is_confirmed in enumerate(confirmed) if not is_confirmed] == [5]
        assert len(await taken(channel, queue, len(batch) - 1)) == len(batch) - 1
    finally:
        await publisher.close()


async def test_a_publisher_that_is_cut_while_waiting_works_on(sandbox: Sandbox, queue: str) -> None:
    publisher = Publisher(sandbox.broker_url("payments"), Exchange.PAYMENTS, "test")
    try:
        for moment in (0.0, 0.001, 0.005, 0.02):
            cut = asyncio.create_task(publisher.publish_all([outgoing(number) for number in range(100)]))
            await asyncio.sleep(moment)
            cut.cancel()
            await asyncio.gather(cut, return_exceptions=True)
            assert await publisher.publish_all([outgoing(1), outgoing(2)]) == [True, True]
    finally:
        await publisher.close()
