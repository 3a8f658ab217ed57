"""The fixtures themselves, on real servers."""

from __future__ import annotations

import aio_pika
import aiormq.exceptions
import asyncpg
import pytest
from redis.asyncio import Redis

from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


async def test_a_role_uses_its_own_schema_and_no_other(sandbox: Sandbox) -> None:
    payments = await asyncpg.connect(sandbox.database_url("payments"))
    await payments.execute("CREATE TABLE ledger (amount bigint)")
    assert await payments.fetchval("SELECT current_schema()") == "payments"
    await payments.close()

    refunds = await asyncpg.connect(sandbox.database_url("refunds"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await refunds.execute("SELECT * FROM payments.ledger")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await refunds.execute("CREATE TABLE public.ledger (amount bigint)")
    await refunds.close()


async def test_a_broker_user_writes_to_its_own_exchange_and_no_other(sandbox: Sandbox) -> None:
    connection = await aio_pika.connect(sandbox.broker_url("refunds"))
    channel = await connection.channel()
    own = await channel.get_exchange("refunds", ensure=False)
    await own.publish(aio_pika.Message(b"{}"), "marker.refunds")
    foreign = await channel.get_exchange("payments", ensure=False)
    with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
        await foreign.publish(aio_pika.Message(b"{}"), "payment.created")
    await connection.close()


async def test_a_broker_user_cannot_publish_around_the_exchanges(sandbox: Sandbox) -> None:
    connection = await aio_pika.connect(sandbox.broker_url("refunds"))
    channel = await connection.channel()
    with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
        await channel.default_exchange.publish(aio_pika.Message(b"{}"), "processor.charges")
    await connection.close()


async def test_each_sandbox_has_its_own_redis_database(sandbox: Sandbox, make_sandbox: MakeSandbox) -> None:
    other = make_sandbox(broker=False)
    async with Redis.from_url(sandbox.redis_url) as here, Redis.from_url(other.redis_url) as there:
        await here.set("key", "value")
        assert await there.get("key") is None
