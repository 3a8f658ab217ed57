"""Outbox, relay and inbox against real PostgreSQL and RabbitMQ."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import aio_pika
import pytest

from gateway_common.broker.batches import Outgoing
from gateway_common.broker.consumer import Consumer
from gateway_common.broker.delivery import Delivery
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import MARKER_QUEUES, PROCESSOR_CHARGES, Exchange
from gateway_common.clock import SystemClock
from gateway_common.database import Database
from gateway_common.database.partitions import maintain
from gateway_common.outbox.inbox import claim_new
from gateway_common.outbox.memory import BrokerMemory
from gateway_common.outbox.nudge import OutboxListener, OutboxNudge
from gateway_common.outbox.relay import Relay
from gateway_common.outbox.writing import OutgoingMessage, add
from gateway_local.sandbox import Sandbox

MERCHANT = uuid.uuid4()


def message(payload: str = "{}", *, age: timedelta = timedelta(0)) -> OutgoingMessage:
    return OutgoingMessage("payment.created", MERCHANT, payload, SystemClock().now() - age, request_id="req-1")


async def write(database: Database, messages: list[OutgoingMessage]) -> None:
    async with database.transaction() as transaction:
        await add(transaction, messages)


@pytest.fixture
async def publisher(sandbox: Sandbox) -> AsyncIterator[Publisher]:
    made = Publisher(sandbox.broker_url("payments"), Exchange.PAYMENTS, "test")
    yield made
    await made.close()


@pytest.fixture
def relay(database: Database, publisher: Publisher) -> Relay:
    return Relay(database, publisher, OutboxListener(database), SystemClock())


@pytest.fixture
def memory(database: Database, publisher: Publisher) -> BrokerMemory:
    return BrokerMemory(database, publisher, Exchange.PAYMENTS, SystemClock())


async def purge(sandbox: Sandbox, *queues: str) -> None:
    async with await aio_pika.connect(sandbox.broker_url("operator")) as connection:
        channel = await connection.channel()
        for name in queues:
            await (await channel.get_queue(name)).purge()


async def received(sandbox: Sandbox, count: int) -> list[Delivery]:
    """Consume until `count` different messages came."""
    got: list[Delivery] = []

    async def take(batch: Sequence[Delivery]) -> None:
        got.extend(batch)

    parking = Publisher(sandbox.broker_url("processor"), Exchange.PROCESSOR, "test")
    consumer = Consumer(sandbox.broker_url("processor"), PROCESSOR_CHARGES, take, name="test", parking=parking)
    running = asyncio.create_task(consumer.run())
    async with asyncio.timeout(15):
        while len({delivery.message_id for delivery in got}) < count:
            await asyncio.sleep(0.02)
    consumer.stop()
    await running
    await parking.close()
    return got


async def test_committed_messages_arrive_with_their_ids(sandbox: Sandbox, database: Database, relay: Relay) -> None:
    await purge(sandbox, PROCESSOR_CHARGES.name)
    messages = [message('{"text":"₹"}') for _ in range(350)]
    await write(database, messages)

    assert await relay.send_batch() == 300
    assert await relay.send_batch() == 50
    assert await relay.send_batch() == 0

    got = await received(sandbox, 350)
    assert {delivery.message_id for delivery in got} == {one.message_id for one in messages}
    assert got[0].body == '{"text":"₹"}'.encode()
    assert got[0].type == "payment.created"
    assert got[0].request_id == "req-1"
    assert await database.fetch_value("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0


async def test_rolled_back_messages_never_leave(database: Database, relay: Relay) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await add(transaction, [message()])
            raise ZeroDivisionError
    assert await relay.send_batch() == 0


async def test_two_relays_share_the_work_without_repeating_it(
    sandbox: Sandbox, database: Database, relay: Relay, publisher: Publisher
) -> None:
    await purge(sandbox, PROCESSOR_CHARGES.name)
    await write(database, [message() for _ in range(600)])
    second = Relay(database, publisher, OutboxListener(database), SystemClock())
    assert sorted(await asyncio.gather(relay.send_batch(), second.send_batch())) == [300, 300]
    assert len(await received(sandbox, 600)) == 600


async def empty_broker(sandbox: Sandbox) -> None:
    await purge(sandbox, PROCESSOR_CHARGES.name, MARKER_QUEUES[Exchange.PAYMENTS].name)


async def repeat_all(memory: BrokerMemory) -> int:
    total = 0
    while (taken := await memory.repeat_batch()) is not None:
        total += taken
    return total


async def test_an_emptied_broker_gets_the_last_day_again_newest_first(
    sandbox: Sandbox, database: Database, relay: Relay, memory: BrokerMemory
) -> None:
    await memory.check()
    assert await memory.check() is False, "the marker is in place"
    old = [message(age=timedelta(hours=20)) for _ in range(700)]
    new = [message() for _ in range(20)]
    await write(database, [*old, *new, message(age=timedelta(hours=25))])
    while await relay.send_batch():
        continue

    await empty_broker(sandbox)
    assert await memory.check() is True
    assert await repeat_all(memory) == 720
    assert await memory.repeat_batch() is None, "the walk is over"
    got = [delivery.message_id for delivery in await received(sandbox, 720)]
    assert len(got) == 720
    assert set(got[:20]) == {one.message_id for one in new}
    assert set(got[20:]) == {one.message_id for one in old}
    assert await relay.send_batch() == 0, "repeats are not new messages: they age no outbox and raise no alarm"


async def test_messages_of_one_moment_are_each_sent_again(
    sandbox: Sandbox, database: Database, memory: BrokerMemory
) -> None:
    moment = SystemClock().now() - timedelta(minutes=5)
    messages = [OutgoingMessage("payment.created", MERCHANT, "{}", moment) for _ in range(700)]
    await write(database, messages)
    await empty_broker(sandbox)
    await memory.check()
    assert await repeat_all(memory) == 700
    assert {d.message_id for d in await received(sandbox, 700)} == {one.message_id for one in messages}


async def test_a_walk_goes_on_where_a_killed_one_stood(
    sandbox: Sandbox, database: Database, publisher: Publisher, memory: BrokerMemory
) -> None:
    await write(database, [message(age=timedelta(minutes=number)) for number in range(900)])
    await empty_broker(sandbox)
    await memory.check()
    before = 0
    while before < 200:
        before += await memory.repeat_batch() or 0
    successor = BrokerMemory(database, publisher, Exchange.PAYMENTS, SystemClock())
    assert await successor.check() is False, "the marker stands since the walk began"
    assert before + await repeat_all(successor) == 900
    assert len(await received(sandbox, 900)) == 900


async def test_a_broker_emptied_again_in_mid_walk_gets_all_again(
    sandbox: Sandbox, database: Database, memory: BrokerMemory
) -> None:
    await write(database, [message(age=timedelta(minutes=number)) for number in range(600)])
    await empty_broker(sandbox)
    await memory.check()
    for _ in range(10):
        await memory.repeat_batch()
    await empty_broker(sandbox)
    assert await memory.check() is True
    assert await repeat_all(memory) == 600
    assert len(await received(sandbox, 600)) == 600


async def test_a_broker_that_takes_nothing_does_not_move_the_walk_on(
    sandbox: Sandbox, database: Database, memory: BrokerMemory
) -> None:
    await write(database, [message() for _ in range(20)])
    await empty_broker(sandbox)
    await memory.check()
    nowhere = Publisher("amqp://payments:wrong@127.0.0.1:9/", Exchange.PAYMENTS, "test")
    gone = BrokerMemory(database, nowhere, Exchange.PAYMENTS, SystemClock())
    for _ in range(3):
        assert await gone.repeat_batch() is None
    assert await repeat_all(memory) == 20


async def test_a_message_that_is_refused_goes_back_to_the_relay(
    sandbox: Sandbox, database: Database, memory: BrokerMemory
) -> None:
    """No queue takes it (any more): the rest must not wait for it."""
    lost = OutgoingMessage("nobody.listens", MERCHANT, "{}", SystemClock().now())
    await write(database, [lost, message()])
    await database.execute("UPDATE outbox SET sent_at = now()")
    await empty_broker(sandbox)
    await memory.check()
    assert await repeat_all(memory) == 2
    assert await database.fetch_value("SELECT message_id FROM outbox WHERE sent_at IS NULL") == lost.message_id


async def test_one_copy_at_a_time_sends_again(
    sandbox: Sandbox, database: Database, publisher: Publisher, memory: BrokerMemory
) -> None:
    await write(database, [message() for _ in range(20)])
    await empty_broker(sandbox)
    await memory.check()
    slow = _SlowAfterConfirm(publisher)
    first = asyncio.create_task(BrokerMemory(database, slow, Exchange.PAYMENTS, SystemClock()).repeat_batch())
    await slow.confirmed.wait()
    assert await memory.repeat_batch() is None
    slow.may_go_on.set()
    assert await first == 20


async def test_a_batch_confirmed_before_the_broker_was_emptied_is_sent_again(
    sandbox: Sandbox, database: Database, publisher: Publisher, memory: BrokerMemory
) -> None:
    """Its mark is committed only after the loss was noticed: frozen in between, or the database slow."""
    await memory.check()
    messages = [message() for _ in range(20)]
    await write(database, messages)
    slow = _SlowAfterConfirm(publisher)
    sending = asyncio.create_task(Relay(database, slow, OutboxListener(database), SystemClock()).send_batch())
    await slow.confirmed.wait()

    await empty_broker(sandbox)
    assert await memory.check() is True
    assert await repeat_all(memory) == 20
    slow.may_go_on.set()
    assert await sending == 20
    assert {d.message_id for d in await received(sandbox, 20)} == {one.message_id for one in messages}


class _SlowAfterConfirm(Publisher):
    """Publishes like `inner`, and then takes its time."""

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner
        self.confirmed = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def publish_all(self, messages: Sequence[Outgoing]) -> list[bool]:
        results = await self._inner.publish_all(messages)
        self.confirmed.set()
        await self.may_go_on.wait()
        return results


async def test_a_backlog_is_worked_from_both_ends(sandbox: Sandbox, database: Database, relay: Relay) -> None:
    """What is new need not wait for all that piled up while the broker was away."""
    await purge(sandbox, PROCESSOR_CHARGES.name)
    fresh = message()
    await write(database, [message() for _ in range(1500)])
    await write(database, [fresh])

    running = asyncio.create_task(relay.run())
    got = [delivery.message_id for delivery in await received(sandbox, 1501)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert got.index(fresh.message_id) < 600
    assert len(got) == len(set(got)) == 1501


async def test_an_unreachable_broker_leaves_the_messages_in_the_outbox(database: Database) -> None:
    nowhere = Publisher("amqp://payments:wrong@127.0.0.1:9/", Exchange.PAYMENTS, "test")
    relay = Relay(database, nowhere, OutboxListener(database), SystemClock())
    await write(database, [message() for _ in range(5)])
    await relay.send_batch()
    assert await database.fetch_value("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 5


async def test_a_nudge_wakes_the_listener_long_before_its_poll(database: Database) -> None:
    listener, nudge = OutboxListener(database), OutboxNudge(database)
    tasks = [asyncio.create_task(listener.run()), asyncio.create_task(nudge.run())]
    await listener.wait(5)  # woken once, when it has begun to listen
    waiting = asyncio.create_task(listener.wait(10))
    await asyncio.sleep(0.05)
    nudge.nudge()
    async with asyncio.timeout(2):
        await waiting
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_inbox_lets_a_message_have_its_effect_once(database: Database) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)

    async def effect() -> int:
        async with database.transaction() as transaction:
            fresh = await claim_new(transaction, "test", [("evt_a", when), ("evt_b", when), ("evt_a", when)])
            await asyncio.sleep(0.05)
            return len(fresh)

    assert sorted(await asyncio.gather(*(effect() for _ in range(5)))) == [0, 0, 0, 0, 2]


async def test_a_rolled_back_effect_leaves_no_trace_in_the_inbox(database: Database) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await claim_new(transaction, "test", [("evt_c", when)])
            raise ZeroDivisionError
    async with database.transaction() as transaction:
        assert await claim_new(transaction, "test", [("evt_c", when)]) == {"evt_c"}


async def test_partitions_are_made_ahead_and_dropped_when_old(database: Database) -> None:
    async def partitions() -> set[str]:
        rows = await database.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'outbox'::regclass"
        )
        return {row["name"] for row in rows}

    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    await maintain(database, "outbox", column="created_at", now=start, keep_days=1)
    assert {"outbox_20260301", "outbox_20260304"} <= await partitions()
    await maintain(database, "outbox", column="created_at", now=start + timedelta(days=2), keep_days=1)
    names = await partitions()
    assert "outbox_20260301" not in names
    assert "outbox_20260302" in names
    assert "outbox_default" in names
