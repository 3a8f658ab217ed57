"""Servers that go away, processes that die, processes that are asked to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from gateway_local.ports import is_free
from gateway_local.sandbox import Sandbox

from .conftest import Start, World, charge_of, refund_of

PAYMENTS = 200


def free_port() -> int:
    return next(port for port in range(19_400, 19_500) if is_free(port))


@contextmanager
def processor_process(sandbox: Sandbox, **overrides: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = sandbox.environment("processor", **{"PORT": str(free_port()), **overrides})
    environment["PYTHONPATH"] = ":".join(path for path in sys.path if path)
    process = subprocess.Popen([sys.executable, "-m", "processor", "worker"], env={**os.environ, **environment})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


async def _wait_for_books(world: World, references: list[str], at_least: int) -> None:
    """Until the bank has moved that much money: half way through the delay, before its answers."""
    deadline = time.monotonic() + 20
    while True:
        rows = await world.query("bank", "SELECT count(*) FROM operations WHERE reference = ANY($1)", references)
        if rows[0][0] >= at_least:
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_killed_between_the_banks_books_and_its_answers(world: World, start: Start) -> None:
    """The bank has charged, nobody here knows it: every payment still ends once, charged once."""
    sent = [charge_of() for _ in range(PAYMENTS // 2)] + [refund_of() for _ in range(PAYMENTS // 2)]
    references = [one.reference for one in sent]
    await world.publish(*sent)
    with processor_process(world.sandbox, TEST_PROCESSING_DELAY="2000") as process:
        await _wait_for_books(world, references, PAYMENTS)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    recorded = await world.query(
        "processor", "SELECT count(*) FROM acquirer_operations WHERE reference = ANY($1)", references
    )
    assert recorded[0][0] < PAYMENTS
    async with start():
        for one in sent:
            await world.result_of(one, 20)
        await asyncio.sleep(0.3)

    assert all(len(world.results_of(one)) == 1 for one in sent)
    rows = await world.query("bank", "SELECT asked_count FROM operations WHERE reference = ANY($1)", references)
    assert len(rows) == PAYMENTS
    assert max(row["asked_count"] for row in rows) > 1  # it was asked again, and did not charge again


async def test_sigterm_finishes_what_is_with_the_bank(world: World) -> None:
    sent = [charge_of() for _ in range(PAYMENTS)]
    with processor_process(world.sandbox, TEST_PROCESSING_DELAY="1500") as process:
        await world.publish(*sent)
        await _wait_for_books(world, [one.reference for one in sent], 1)
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 20)
    await asyncio.sleep(0.5)
    told = [one for one in sent if world.results_of(one)]
    recorded = await world.query(
        "processor",
        "SELECT count(*) FROM acquirer_operations WHERE reference = ANY($1)",
        [one.reference for one in sent],
    )
    # Whatever was begun was finished, recorded and told; the rest waits in the queue.
    assert len(told) == recorded[0][0] > 0
    assert await world.queue_depth("processor.charges") == PAYMENTS - len(told)
    queue = await world.connection.channel()
    await (await queue.declare_queue("processor.charges", passive=True)).purge()


async def test_a_lost_connection_does_not_ask_the_bank_twice(world: World, start: Start) -> None:
    """The messages are delivered again while the first asking goes on: they join it."""
    sent = [charge_of() for _ in range(50)]
    async with start(TEST_PROCESSING_DELAY="3000"):
        await world.publish(*sent)
        await _wait_for_books(world, [one.reference for one in sent], 50)
        assert await asyncio.to_thread(_close_connections, world.sandbox, "processor.consume.processor.charges")
        for one in sent:
            await world.result_of(one, 20)
        await asyncio.sleep(1.5)

    assert all(len(world.results_of(one)) == 1 for one in sent)
    rows = await world.query(
        "bank", "SELECT max(asked_count) FROM operations WHERE reference = ANY($1)", [one.reference for one in sent]
    )
    assert rows[0][0] == 1
    assert await world.queue_depth("processor.charges") == 0


async def test_redis_away_is_waited_for(world: World, start: Start) -> None:
    """A card whose data cannot be read now is not a card whose data is gone."""
    token = await world.store_card("4242424242424242")
    sent, other = charge_of(card_token=token), charge_of()
    await world.redis.client_pause(2500)
    async with start():
        await world.publish(sent, other)
        await world.result_of(other, 2)  # who needs no card does not wait
        assert world.results_of(sent) == []
        told, _ = await world.result_of(sent)

    assert told == "charge.succeeded"


async def test_the_database_away_is_waited_for(world: World, start: Start) -> None:
    sent = [charge_of() for _ in range(50)]
    async with start(TEST_PROCESSING_DELAY="600"):
        await world.publish(*sent)
        for _ in range(8):
            await world.query(
                "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('processor', 'bank')"
                " AND datname = current_database()",
            )
            await asyncio.sleep(0.15)
        for one in sent:
            await world.result_of(one, 20)
        await asyncio.sleep(0.3)

    # A relay that is cut after the publish sends again, with the same id: inboxes absorb that.
    assert len(set(world.message_ids)) == 50
    rows = await world.query(
        "bank", "SELECT count(*) FROM operations WHERE reference = ANY($1)", [one.reference for one in sent]
    )
    assert rows[0][0] == 50


def _close_connections(sandbox: Sandbox, name: str) -> int:
    """Through the management API, as an operator would; returns how many were closed."""
    secret = sandbox.installation.credentials.broker["operator"]
    address = sandbox.installation.rabbitmq.management_url
    closed = 0
    with httpx.Client(base_url=address, auth=("operator", secret), timeout=10) as http:
        deadline = time.monotonic() + 10
        while not closed and time.monotonic() < deadline:  # the statistics lag a little behind
            for connection in http.get(f"/api/vhosts/{sandbox.virtual_host}/connections").json():
                if connection.get("client_properties", {}).get("connection_name") == name:
                    closed += http.delete(f"/api/connections/{connection['name']}").is_success
            time.sleep(0.2)
    return closed
