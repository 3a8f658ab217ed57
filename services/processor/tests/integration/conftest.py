"""A processor in this process, on real servers, and what stands around it: payments-api's messages and its result queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
import orjson
import pytest
from fastapi import FastAPI

from gateway_common.cache import connect
from gateway_common.card import Card
from gateway_common.cards import CardKeys, CardVault
from gateway_common.clock import SystemClock
from gateway_common.ids import new_event_id, new_payment_id, new_refund_id
from gateway_common.logs import configure_logs
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from processor.bootstrap import build_app
from processor.settings import Settings

MERCHANT = UUID("550e8400-e29b-41d4-a716-446655440000")

Start = Callable[..., AbstractAsyncContextManager[FastAPI]]


@dataclass
class Sent:
    """A published request: publishing it again is a redelivery."""

    exchange: str
    routing_key: str
    body: dict[str, Any]
    reference: str
    message_id: str = field(default_factory=new_event_id)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def charge_of(*, vpa: str | None = "user@paytm", card_token: str | None = None, amount: int = 50_000) -> Sent:
    payment_id = new_payment_id()
    now = datetime.now(UTC).isoformat()
    method = {"method": "upi", "vpa": vpa} if card_token is None else {"method": "card", "card_last4": "4242"}
    payment = {
        "id": payment_id,
        "order_id": "order_test_123",
        "amount": amount,
        "currency": "INR",
        **method,
        "status": "pending",
        "captured": False,
        "amount_captured": 0,
        "amount_refunded": 0,
        "refund_status": None,
        "error_code": None,
        "error_description": None,
        "created_at": now,
        "updated_at": now,
    }
    body = {"merchant_id": str(MERCHANT), "sequence": 1, "occurred_at": now, "payment": payment}
    if card_token is not None:
        body["card_token"] = card_token
    return Sent("payments", "payment.created", body, payment_id)


def refund_of(amount: int = 1000) -> Sent:
    refund_id = new_refund_id()
    body = {
        "merchant_id": str(MERCHANT),
        "refund_id": refund_id,
        "payment_id": new_payment_id(),
        "amount": amount,
        "currency": "INR",
        "requested_at": datetime.now(UTC).isoformat(),
    }
    return Sent("refunds", "refund.requested", body, refund_id)


class World:
    """The other services, as far as the processor meets them."""

    def __init__(self, sandbox: Sandbox, connection: aio_pika.abc.AbstractConnection, channel: Any) -> None:
        self.sandbox = sandbox
        self.connection = connection
        self._channel = channel
        self._exchanges: dict[str, Any] = {}
        self.results: list[tuple[str, dict[str, Any]]] = []
        self.message_ids: list[tuple[str, str | None]] = []
        settings = sandbox.environment("processor")
        self.redis = connect(sandbox.redis_url)
        self.vault = CardVault(self.redis, CardKeys.parse(settings["CARD_DATA_KEYS"]), SystemClock())

    async def publish(self, *sent: Sent) -> None:
        await asyncio.gather(*(self._publish(one) for one in sent))

    async def _publish(self, sent: Sent) -> None:
        if sent.exchange not in self._exchanges:
            self._exchanges[sent.exchange] = await self._channel.get_exchange(sent.exchange, ensure=False)
        message = aio_pika.Message(
            orjson.dumps(sent.body),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=sent.message_id,
            type=sent.routing_key,
            timestamp=sent.at,
            headers={"x-request-id": f"request-{sent.reference}"},
        )
        await self._exchanges[sent.exchange].publish(message, sent.routing_key, mandatory=True)

    async def listen(self) -> None:
        for name in ("payments.results", "refunds.results"):
            queue = await self._channel.declare_queue(name, passive=True)
            await queue.purge()

            async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                body = orjson.loads(message.body)
                self.results.append((message.type or "", body))
                self.message_ids.append((body.get("refund_id", body["payment_id"]), message.message_id))
                await message.ack()

            await queue.consume(take)

    def results_of(self, sent: Sent) -> list[tuple[str, dict[str, Any]]]:
        name = "refund_id" if sent.exchange == "refunds" else "payment_id"
        return [result for result in self.results if result[1].get(name) == sent.reference]

    async def result_of(self, sent: Sent, seconds: float = 10) -> tuple[str, dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while not (found := self.results_of(sent)):
            assert time.monotonic() < deadline, f"no result of {sent.reference} within {seconds} s"
            await asyncio.sleep(0.02)
        return found[0]

    async def store_card(self, number: str) -> str:
        return await self.vault.store(Card(number, 12, 2030, "123", "A Shopper"))

    async def bank(self, reference: str) -> list[asyncpg.Record]:
        return await self.query("bank", "SELECT * FROM operations WHERE reference = $1", reference)

    async def operation(self, reference: str) -> asyncpg.Record | None:
        rows = await self.query("processor", "SELECT * FROM acquirer_operations WHERE reference = $1", reference)
        return rows[0] if rows else None

    async def query(self, role: str, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.sandbox.database_url(role))
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    async def queue_depth(self, name: str) -> int:
        """Messages ready; ask only while nobody consumes."""
        queue = await self._channel.declare_queue(name, passive=True)
        return queue.declaration_result.message_count or 0


@pytest.fixture(scope="session", autouse=True)
def quiet_logs() -> None:
    configure_logs("processor", "WARNING", "console")


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("processor")


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[World]:
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    async with connection:
        made = World(sandbox, connection, await connection.channel(publisher_confirms=True))
        await made.listen()
        yield made
        await made.redis.aclose()


@pytest.fixture
def start(sandbox: Sandbox) -> Start:
    """`async with start(TEST_PROCESSING_DELAY="0") as app:` runs a processor until the block ends, as SIGTERM would end it."""

    @asynccontextmanager
    async def run(**overrides: str) -> AsyncIterator[FastAPI]:
        environment = sandbox.environment("processor", **{"TEST_PROCESSING_DELAY": "50", **overrides})
        known = {name.lower(): value for name, value in environment.items() if name.lower() in Settings.model_fields}
        app = build_app(Settings.model_validate(known))
        async with app.router.lifespan_context(app):
            yield app

    return run
