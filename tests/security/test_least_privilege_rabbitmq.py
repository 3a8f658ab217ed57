"""A service's RabbitMQ user writes to its own exchange, reads its own queues, and configures nothing.

Every protection is checked twice: that it holds, and that the check sees it when it is taken away.
"""

from __future__ import annotations

import asyncio
from itertools import product
from urllib.parse import quote

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from gateway_common.broker.topology import ALL_QUEUES, Exchange
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox, Sandboxes

SERVICES = tuple(exchange.value for exchange in Exchange)
USERS = (*SERVICES, "dashboard")


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


async def can_publish(sandbox: Sandbox, user: str, exchange: str) -> bool:
    async with await aio_pika.connect(sandbox.broker_url(user)) as connection:
        channel = await connection.channel(publisher_confirms=True)
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        message = aio_pika.Message(b"{}")
        try:
            await target.publish(message, "nobody.listens", mandatory=False, timeout=5)
        except (ChannelAccessRefused, aio_pika.exceptions.ChannelClosed):
            return False
    return True


async def can_read(sandbox: Sandbox, user: str, queue: str) -> bool:
    async with await aio_pika.connect(sandbox.broker_url(user)) as connection:
        channel = await connection.channel()
        try:
            await (await channel.get_queue(queue, ensure=False)).get(fail=False, timeout=5)
        except (ChannelAccessRefused, aio_pika.exceptions.ChannelClosed):
            return False
    return True


async def can_declare(sandbox: Sandbox, user: str, queue: str) -> bool:
    async with await aio_pika.connect(sandbox.broker_url(user)) as connection:
        channel = await connection.channel()
        try:
            await channel.declare_queue(queue, durable=False, exclusive=True)
        except (ChannelAccessRefused, aio_pika.exceptions.ChannelClosed):
            return False
    return True


async def can_delete(sandbox: Sandbox, user: str, queue: str) -> bool:
    async with await aio_pika.connect(sandbox.broker_url(user)) as connection:
        channel = await connection.channel()
        try:
            await channel.queue_delete(queue, if_empty=False)
        except (ChannelAccessRefused, aio_pika.exceptions.ChannelClosed):
            return False
    return True


@pytest.mark.parametrize(("user", "exchange"), list(product(USERS, (*SERVICES, ""))))
async def test_a_user_writes_to_its_own_exchange_only(sandbox: Sandbox, user: str, exchange: str) -> None:
    assert await can_publish(sandbox, user, exchange) == (user == exchange)


@pytest.mark.parametrize("user", USERS)
async def test_a_user_reads_its_own_queues_only(sandbox: Sandbox, user: str) -> None:
    readable = {queue.name for queue in ALL_QUEUES if await can_read(sandbox, user, queue.name)}
    assert readable == {queue.name for queue in ALL_QUEUES if queue.owner.value == user}


@pytest.mark.parametrize("user", SERVICES)
async def test_a_user_can_neither_make_nor_delete_a_queue(sandbox: Sandbox, user: str) -> None:
    assert not await can_declare(sandbox, user, f"{user}.intruder")
    own = next(queue.name for queue in ALL_QUEUES if queue.owner.value == user)
    assert not await can_delete(sandbox, user, own)


async def test_the_dashboard_makes_only_queues_of_its_own_name(sandbox: Sandbox) -> None:
    assert await can_declare(sandbox, "dashboard", "dashboard.live.test")
    assert not await can_declare(sandbox, "dashboard", "payments.intruder")


async def test_the_checks_see_a_protection_that_was_taken_away(sandbox: Sandbox) -> None:
    path = f"/api/permissions/{quote(sandbox.virtual_host, safe='')}/refunds"
    manager = Sandboxes(sandbox.installation)
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await asyncio.to_thread(manager._manage, "PUT", path, everything)
    try:
        assert await can_publish(sandbox, "refunds", "payments")
        assert await can_read(sandbox, "refunds", "webhooks.deliver")
        assert await can_declare(sandbox, "refunds", "refunds.intruder")
    finally:
        own = {"configure": "^$", "write": "^refunds$", "read": r"^refunds\..*$"}
        await asyncio.to_thread(manager._manage, "PUT", path, own)
