"""What becomes of a message when its handler fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from gateway_common.broker import consumer as consumer_module
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.consumer import Consumer, queue_depths
from gateway_common.broker.delivery import Delivery, MalformedMessageError
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import DELIVERY_LIMIT, WEBHOOKS_DELIVER, Exchange
from gateway_common.clock import SystemClock
from gateway_common.errors import BrokerUnavailableError, DatabaseUnavailableError
from gateway_common.ids import new_event_id
from gateway_local.sandbox import Sandbox

QUEUE = WEBHOOKS_DELIVER


@pytest.fixture
async def publisher(sandbox: Sandbox) -> AsyncIterator[Publisher]:
    async with await aio_pika.connect(sandbox.broker_url("operator")) as connection:
        channel = await connection.channel()
        for name in (QUEUE.name, QUEUE.parked_name):
            await (await channel.get_queue(name)).purge()
    made = Publisher(sandbox.broker_url("webhooks"), Exchange.WEBHOOKS, "test")
    yield made
    await made.close()


async def publish(publisher: Publisher, *bodies: str) -> None:
    outgoing = [Outgoing("deliver", body.encode(), new_event_id(), SystemClock().now()) for body in bodies]
    assert all(await publisher.publish_all(outgoing))


@asynccontextmanager
async def consuming(
    sandbox: Sandbox,
    publisher: Publisher,
    handler: Callable[[Sequence[Delivery]], Awaitable[None]],
    *,
    acks_itself: bool = False,
) -> AsyncIterator[Consumer]:
    consumer = Consumer(
        sandbox.broker_url("webhooks"), QUEUE, handler, name="test", parking=publisher, acknowledges_itself=acks_itself
    )
    running = asyncio.create_task(consumer.run())
    yield consumer
    consumer.stop()
    async with asyncio.timeout(10):
        await running


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def waiting_in(sandbox: Sandbox, queue: str) -> int:
    return (await queue_depths(sandbox.broker_url("webhooks"), [queue]))[queue][0]


async def parked_messages(sandbox: Sandbox, count: int) -> list[aio_pika.abc.AbstractIncomingMessage]:
    async with asyncio.timeout(20):
        while await waiting_in(sandbox, QUEUE.parked_name) < count:
            await asyncio.sleep(0.05)
    async with await aio_pika.connect(sandbox.broker_url("operator")) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE.parked_name)
        return [await queue.get(no_ack=True) for _ in range(count)]


async def test_a_malformed_message_is_parked_with_its_reason_and_the_others_are_worked(
    sandbox: Sandbox, publisher: Publisher
) -> None:
    worked: set[bytes] = set()

    async def handler(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            if delivery.body == b"bad":
                raise MalformedMessageError("no such shape")
        worked.update(delivery.body for delivery in batch)

    await publish(publisher, "a", "bad", "b")
    async with consuming(sandbox, publisher, handler):
        (parked,) = await parked_messages(sandbox, 1)
        await until(lambda: worked == {b"a", b"b"})
    assert parked.body == b"bad"
    assert parked.headers["x-parked-reason"] == "no such shape"
    assert await waiting_in(sandbox, QUEUE.name) == 0


async def test_a_message_that_always_fails_is_parked_at_the_delivery_limit(
    sandbox: Sandbox, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "REQUEUE_PAUSE_SECONDS", 0.0)
    tries = 0
    worked: set[bytes] = set()

    async def handler(batch: Sequence[Delivery]) -> None:
        nonlocal tries
        if any(delivery.body == b"bug" for delivery in batch):
            tries += len(batch) == 1
            raise KeyError("a bug of ours")
        worked.update(delivery.body for delivery in batch)

    await publish(publisher, "bug", "fine")
    async with consuming(sandbox, publisher, handler):
        (parked,) = await parked_messages(sandbox, 1)
        await until(lambda: worked == {b"fine"})
    assert parked.body == b"bug"
    assert DELIVERY_LIMIT - 1 <= tries <= 2 * (DELIVERY_LIMIT + 2)


async def test_an_unreachable_database_is_waited_for_and_never_counts_against_the_message(
    sandbox: Sandbox, publisher: Publisher
) -> None:
    tries = 0
    worked: list[bytes] = []

    async def handler(batch: Sequence[Delivery]) -> None:
        nonlocal tries
        tries += 1
        if tries < 8:
            raise DatabaseUnavailableError
        worked.extend(delivery.body for delivery in batch)

    await publish(publisher, "patient")
    async with consuming(sandbox, publisher, handler):
        await until(lambda: worked == [b"patient"], 20)
    assert await waiting_in(sandbox, QUEUE.parked_name) == 0
    assert await waiting_in(sandbox, QUEUE.name) == 0


async def test_stopping_finishes_what_was_taken_over_and_gives_back_nothing_of_it(
    sandbox: Sandbox, publisher: Publisher
) -> None:
    finished: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def settle_later(delivery: Delivery) -> None:
        await asyncio.sleep(0.5)
        finished.append(delivery.body)
        await delivery.ack()

    async def take_over(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            tasks.add(asyncio.create_task(settle_later(delivery)))

    await publish(publisher, *(str(number) for number in range(20)))
    async with consuming(sandbox, publisher, take_over, acks_itself=True):
        await until(lambda: len(tasks) == 20)
    assert len(finished) == 20
    assert await waiting_in(sandbox, QUEUE.name) == 0


async def test_a_routing_key_without_a_queue_is_an_error_not_a_silent_loss(publisher: Publisher) -> None:
    with pytest.raises(BrokerUnavailableError):
        await publisher.publish(Outgoing("nobody.listens", b"{}", new_event_id(), SystemClock().now()))


@pytest.mark.parametrize(
    ("user", "exchange"),
    [("refunds", Exchange.PAYMENTS), ("webhooks", Exchange.PROCESSOR), ("processor", Exchange.REFUNDS)],
)
async def test_a_service_cannot_write_to_anothers_exchange(sandbox: Sandbox, user: str, exchange: Exchange) -> None:
    intruder = Publisher(sandbox.broker_url(user), exchange, "test")
    with pytest.raises(BrokerUnavailableError):
        await intruder.publish(Outgoing("payment.created", b"{}", new_event_id(), SystemClock().now()))
    await intruder.close()


async def test_a_service_cannot_read_anothers_queue(sandbox: Sandbox) -> None:
    async with await aio_pika.connect(sandbox.broker_url("refunds")) as connection:
        queue = await (await connection.channel()).get_queue("webhooks.plan", ensure=False)

        async def never(_message: aio_pika.abc.AbstractIncomingMessage) -> None:
            raise AssertionError

        with pytest.raises(ChannelAccessRefused):
            await queue.consume(never)
