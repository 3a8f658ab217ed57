"""A whole webhooks service in this process, on real servers; merchants' servers and the publishing services are played."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
import pytest
from aiohttp import web

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import Exchange
from gateway_common.clock import SystemClock, to_iso
from gateway_common.ids import new_event_id, new_payment_id
from gateway_common.logs import configure_logs
from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from webhooks.bootstrap import build_app
from webhooks.settings import Settings

Json = dict[str, Any]
CLOCK = SystemClock()
configure_logs("webhooks-test", "WARNING")


async def wait_until(is_true: Callable[[], Awaitable[bool]] | Callable[[], bool], patience_s: float = 20.0) -> None:
    """Polls; fails the test when patience runs out."""
    deadline = time.monotonic() + patience_s
    while True:
        answer = is_true()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.05)


@dataclass
class Hit:
    """One request that a merchant's server got."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> Json:
        parsed: Json = orjson.loads(self.body)
        return parsed


Reaction = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class MerchantServer:
    """A merchant's server on loopback. `react[path]` decides the answer; 200 otherwise."""

    url: str = ""
    hits: list[Hit] = field(default_factory=list)
    react: dict[str, Reaction] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.hits.append(Hit(request.path, dict(request.headers), await request.read(), time.time()))
        reaction = self.react.get(request.path)
        return web.Response(text="ok") if reaction is None else await reaction(request)

    def at(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path == path]

    def answer(self, path: str, status: int, headers: dict[str, str] | None = None) -> None:
        async def react(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=f"answer {status}", headers=headers)

        self.react[path] = react


@pytest.fixture
async def server() -> AsyncIterator[MerchantServer]:
    played = MerchantServer()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", played.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    played.url = f"http://{host}:{port}"
    yield played
    await runner.cleanup()


@dataclass
class Shop:
    """One merchant: `api` signs in as the dashboard does on its behalf; `emit` plays the payments API."""

    merchant_id: UUID
    api: httpx.AsyncClient
    publisher: Publisher
    refunds: Publisher

    async def configure(self, url: str | None) -> Json:
        answer = await self.api.put("/api/v1/webhooks/config", json={"webhook_url": url})
        assert answer.status_code == 200, answer.text
        configured: Json = answer.json()
        return configured

    async def emit(
        self,
        event_type: str = "payment.success",
        *,
        payment_id: str | None = None,
        sequence: int = 3,
        message_id: str | None = None,
        occurred_at: datetime | None = None,
        **payment: Any,
    ) -> str:
        """Returns the event's id."""
        event_id = message_id or new_event_id()
        now = occurred_at or CLOCK.now()
        body = {
            "merchant_id": str(self.merchant_id),
            "sequence": sequence,
            "occurred_at": to_iso(now),
            "payment": snapshot(payment_id or new_payment_id(), **payment),
        }
        await self.publisher.publish(Outgoing(event_type, orjson.dumps(body), event_id, now, {"x-request-id": "req-1"}))
        return event_id

    async def emit_refund(self, event_type: str, payment_id: str, sequence: int) -> str:
        event_id = new_event_id()
        refund = {
            "id": "rfnd_0123456789abcdef",
            "payment_id": payment_id,
            "amount": 100,
            "currency": "INR",
            "reason": None,
            "status": "pending",
            "created_at": to_iso(CLOCK.now()),
            "processed_at": None,
        }
        body = {
            "merchant_id": str(self.merchant_id),
            "sequence": sequence,
            "occurred_at": to_iso(CLOCK.now()),
            "refund": refund,
            "amount_refunded": 0,
            "refund_version": 1,
        }
        await self.refunds.publish(Outgoing(event_type, orjson.dumps(body), event_id, CLOCK.now()))
        return event_id

    async def log(self, **query: Any) -> list[Json]:
        answer = await self.api.get("/api/v1/webhooks", params={"limit": 100, **query})
        assert answer.status_code == 200, answer.text
        rows: list[Json] = answer.json()["data"]
        return rows

    async def detail(self, delivery_id: str) -> Json:
        answer = await self.api.get(f"/api/v1/webhooks/{delivery_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def statuses(self, **query: Any) -> list[str]:
        return [row["status"] for row in await self.log(**query)]


def snapshot(payment_id: str, **changes: Any) -> Json:
    return {
        "id": payment_id,
        "order_id": "order_test_123",
        "amount": 50_000,
        "currency": "INR",
        "method": "upi",
        "vpa": "user@paytm",
        "status": "success",
        "captured": False,
        "amount_captured": 0,
        "amount_refunded": 0,
        "refund_status": None,
        "error_code": None,
        "error_description": None,
        "notes": None,
        "created_at": "2024-01-15T10:31:00.000Z",
        "updated_at": "2024-01-15T10:31:00.000Z",
        **changes,
    }


@pytest.fixture(scope="module")
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox("webhooks")


def settings_of(sandbox: Sandbox, **overrides: str) -> Settings:
    quick = {
        "PORT": "8003",
        "WEBHOOK_RETRY_INTERVALS_TEST": "true",
        "WEBHOOK_ALLOW_PRIVATE_TARGETS": "true",
        **overrides,
    }
    values: Any = {name.lower(): value for name, value in sandbox.environment("webhooks-worker", **quick).items()}
    return Settings(**values)


OpenShop = Callable[[], Shop]
RunService = Callable[..., AbstractAsyncContextManager[OpenShop]]


@pytest.fixture
def run_service(sandbox: Sandbox) -> RunService:
    """`async with run_service(role="all", BREAKER_FAILURES="3") as new_shop:` runs it with those settings."""

    @asynccontextmanager
    async def run(role: str = "all", **overrides: str) -> AsyncIterator[OpenShop]:
        settings = settings_of(sandbox, **overrides)
        app = build_app(settings, role)
        tokens = InternalTokens(settings.internal_token_secret.get_secret_value(), "dashboard", CLOCK)
        async with AsyncExitStack() as stack:
            publishers = []
            for exchange in (Exchange.PAYMENTS, Exchange.REFUNDS):
                publishers.append(Publisher(sandbox.broker_url(exchange.value), exchange, "test"))
                stack.push_async_callback(publishers[-1].close)
            await stack.enter_async_context(app.router.lifespan_context(app))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://webhooks") as probe:

                async def is_ready() -> bool:
                    return (await probe.get("/readyz")).status_code == 200

                await wait_until(is_ready)

            def open_shop() -> Shop:
                merchant_id = uuid4()

                async def sign(request: httpx.Request) -> None:
                    if "authorization" not in request.headers:
                        request.headers.update(tokens.headers("webhooks", merchant_id))

                client = httpx.AsyncClient(
                    transport=httpx.ASGITransport(app), base_url="http://webhooks", event_hooks={"request": [sign]}
                )
                stack.push_async_callback(client.aclose)
                return Shop(merchant_id, client, *publishers)

            yield open_shop

    return run


@pytest.fixture
async def new_shop(run_service: RunService) -> AsyncIterator[OpenShop]:
    async with run_service() as opened:
        yield opened


@pytest.fixture
async def shop(new_shop: OpenShop) -> Shop:
    return new_shop()


@pytest.fixture
async def database(sandbox: Sandbox) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(sandbox.database_url("webhooks"))
    yield connection
    await connection.close()
